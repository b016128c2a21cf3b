internal import Glibc

/// Reads a whole file of the author's.
enum FileBytes {
    /// - Returns: nil if there is no such file.
    /// - Throws: `StartFailure` if it cannot be read or is longer than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(StartFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StartFailure(description: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw StartFailure(description: "\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
            guard bytes.count <= limit else {
                throw StartFailure(description: "\(path) is longer than \(limit) bytes")
            }
        }
    }
}
