internal import Glibc
internal import SystemPackage

/// Small private files: keys, tokens, process ids.
enum FileBytes {
    /// The file's bytes; nil if it does not exist.
    ///
    /// - Throws: `HostError` with `storageFailed` for a link, a file that others may read where `isPrivate`, one that
    ///   others than this process's user and root own or may write where `isTrusted`, or a failed read.
    static func read(
        _ path: String, limit: Int, isPrivate: Bool = false, isTrusted: Bool = false
    ) throws(HostError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw failure("cannot be read", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw HostError(.storageFailed, "\(path) is not a regular file")
        }
        if isPrivate, status.st_mode & 0o077 != 0 {
            throw HostError(
                .storageFailed,
                "\(path) can be read by other users (mode \(String(status.st_mode & 0o777, radix: 8))); "
                    + "run: chmod 600 \(path), and replace what was in it")
        }
        if isTrusted { try checkTrust(status, path) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
        guard count >= 0, count <= limit else { throw failure("is too long or cannot be read", path) }
        return Array(bytes[..<count])
    }

    private static func checkTrust(_ status: stat, _ path: String) throws(HostError) {
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw HostError(
                .storageFailed,
                "\(path) belongs to uid \(status.st_uid), neither to nexusd's uid \(geteuid()) nor to root; "
                    + "check what is in it, then run: chown \(geteuid()) \(path)")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw HostError(
                .storageFailed,
                "\(path) can be written by other users (mode \(String(status.st_mode & 0o777, radix: 8))); "
                    + "check what is in it, then run: chmod go-w \(path)")
        }
    }

    /// The first word of a file; nil if there is none.
    static func text(_ path: String, limit: Int) -> String? {
        guard let bytes = try? read(path, limit: limit) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    /// Writes a 0600 file in place of an older one: a new file, then rename(2).
    static func write(_ bytes: [UInt8], to path: String) throws(HostError) {
        let fresh = "\(path).new"
        unlink(fresh)
        let file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("cannot be written", fresh) }
        let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        // A write that ends early has no errno: the next one would have found the disk full.
        if written >= 0, written < bytes.count { errno = ENOSPC }
        let isWhole = written == bytes.count && fsync(file) == 0
        let error = errno
        close(file)
        errno = error
        guard isWhole, rename(fresh, path) == 0 else {
            let failure = failure("cannot be written", path)
            unlink(fresh)
            throw failure
        }
        syncFolder(of: path)
    }

    /// Makes a rename(2) last: a folder's entries are on the disk when the folder is (fsync(2)).
    static func syncFolder(of path: String) {
        let folder = open(
            String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private static func failure(_ what: String, _ path: String) -> HostError {
        let remedy = [ENOSPC, EDQUOT].contains(errno) ? "; free space on its disk" : ""
        return HostError(.storageFailed, "\(path) \(what): \(Errno(rawValue: errno))\(remedy)")
    }
}
