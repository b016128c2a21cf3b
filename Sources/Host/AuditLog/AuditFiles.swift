internal import Glibc
internal import SystemPackage

/// Files of the log, as whole byte arrays.
enum AuditFiles {
    static func makeDirectory(_ path: FilePath) throws {
        guard mkdir(path.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        var status = stat()
        // Not a link: two hosts could be led to one log by it.
        guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw Errno.notDirectory }
    }

    static func read(_ path: FilePath) throws(AuditError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
            return try file.closeAfter {
                let size = Int(try file.seek(offset: 0, from: .end))
                _ = try file.seek(offset: 0, from: .start)
                return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                    while count < size {
                        let rest = UnsafeMutableRawBufferPointer(
                            rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                        let got = try file.read(into: rest)
                        if got == 0 { break }
                        count += got
                    }
                }
            }
        } catch {
            throw AuditError(.unreadable, "the audit log \(path) cannot be read: \(error)")
        }
    }

    /// Keeps a torn end in a file of its own. A start that died half-way may have left some already: none is written
    /// over.
    static func setAside(_ bytes: [UInt8], in folder: FilePath, as name: String) throws {
        for attempt in 0..<1_000 {
            do {
                return try write(bytes, to: folder.appending(attempt == 0 ? name : "\(name)-\(attempt)"))
            } catch Errno.fileExists {
                continue
            }
        }
        throw Errno.fileExists
    }

    private static func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
        _ = try file.closeAfter { try file.writeAll(bytes) }
    }

    static func truncate(_ path: FilePath, to size: Int) throws {
        let file = try FileDescriptor.open(path, .writeOnly, options: [.noFollow, .closeOnExec])
        try file.closeAfter { try file.resize(to: Int64(size)) }
    }
}
