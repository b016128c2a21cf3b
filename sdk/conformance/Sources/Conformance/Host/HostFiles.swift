internal import Glibc

/// The few files that the kit reads and makes, without Foundation.
enum HostFiles {
    /// The bytes of a file; empty if it cannot be read.
    static func read(_ path: String, limit: Int = 64 << 20) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < limit {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(HostDriverFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            rest = rest.dropFirst(count)
        }
        fchmod(file, mode)
    }

    static func makeFolder(_ path: String) throws(HostDriverFailure) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure(path) }
        chmod(path, 0o755)
    }

    /// A new folder of the kit's own.
    static func makeTemporaryFolder(in parent: String = "/tmp") throws(HostDriverFailure) -> String {
        let path = "\(parent)/nexus-conform-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        try makeFolder(path)
        return path
    }

    static func removeFolder(_ path: String) {
        for name in names(in: path) where unlink("\(path)/\(name)") != 0 { removeFolder("\(path)/\(name)") }
        rmdir(path)
    }

    /// What a folder holds, without `.` and `..`.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func failure(_ path: String) -> HostDriverFailure {
        HostDriverFailure("\(path) could not be made: \(String(cString: strerror(errno)))")
    }
}
