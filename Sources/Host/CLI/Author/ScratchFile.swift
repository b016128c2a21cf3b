internal import Foundation

/// A file for what a program writes. It has no name from the start, so nothing is left of it however this ends.
enum ScratchFile {
    /// - Returns: a descriptor to close; programs that are started do not inherit it.
    static func open() throws(CommandFailure) -> Int32 {
        var path = Array("\(FileManager.default.temporaryDirectory.path)/nexus-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        guard file >= 0 else {
            throw CommandFailure("no temporary file: \(String(cString: strerror(errno)))")
        }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        unlink(path)
        return file
    }

    /// What was written, up to `limit` bytes. Others may go on writing: the descriptor's place is left where it is.
    static func text(_ file: Int32, limit: Int) -> String {
        var status = stat()
        guard fstat(file, &status) == 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: min(Int(status.st_size), limit))
        var count = 0
        while count < bytes.count {
            let rest = bytes.count - count
            let read = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress?.advanced(by: count), rest, off_t(count))
            }
            guard read > 0 else { break }
            count += read
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
