import Glibc

/// Why the simulator could not start.
struct StartError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The few file operations that the simulator needs; errors name the path.
enum Files {
    /// A fresh directory of our own under the system's place for temporary files.
    static func makeTemporaryDirectory() throws -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/exchange-simulator-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StartError("cannot make a directory in \(parent): \(describe(errno)); name one with --directory")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StartError("cannot make the directory \(path): \(describe(errno))")
        }
    }

    static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StartError("cannot write \(path): \(describe(errno))") }
        defer { close(file) }
        guard Output.write(Array(text.utf8), to: file) else {
            throw StartError("cannot write \(path): \(describe(errno))")
        }
    }

    /// At most `limit` bytes of a file.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StartError("cannot read \(path): \(describe(errno))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw StartError("cannot read \(path): \(describe(errno))") }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw StartError("\(path) is longer than \(limit) bytes") }
        }
    }

    static func restrict(_ path: String) throws {
        guard chmod(path, 0o600) == 0 else { throw StartError("cannot restrict \(path): \(describe(errno))") }
    }

    static func describe(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "errno \(code)" }
}

/// Lines on standard output and standard error, unbuffered.
enum Output {
    static func line(_ text: String) { _ = write(Array("\(text)\n".utf8), to: STDOUT_FILENO) }
    static func error(_ text: String) { _ = write(Array("\(text)\n".utf8), to: STDERR_FILENO) }

    /// True if all of it was written.
    static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
