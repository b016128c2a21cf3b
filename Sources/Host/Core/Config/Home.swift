internal import Glibc

/// The one directory that a host owns, and what is where in it.
public struct Home: Sendable, Equatable {
    public let path: String

    /// The path without slashes and dots at its end: lstat(2) would follow a link that such an end hides.
    public init(_ path: String) {
        var bare = path[...]
        while bare.count > 1, bare.hasSuffix("/") || bare.hasSuffix("/.") { bare.removeLast() }
        self.path = String(bare)
    }

    public var database: String { "\(path)/nexus.sqlite" }
    public var masterKey: String { "\(path)/master.key" }
    /// How a passphrase becomes the master key.
    public var passphraseParameters: String { "\(path)/master.scrypt" }
    public var firstToken: String { "\(path)/token" }
    public var socket: String { "\(path)/nexusd.sock" }
    public var processFile: String { "\(path)/nexusd.pid" }
    public var lock: String { "\(path)/nexusd.lock" }
    public var store: String { "\(path)/store" }
    public var audit: String { "\(path)/audit" }
    public var configuration: String { "\(path)/nexus.json" }
    public var log: String { "\(path)/nexusd.log" }

    /// Makes the directory (0700) with its parents, and refuses one that others may write.
    ///
    /// - Throws: `HostError` with `storageFailed`, naming path, owner or mode.
    public func prepare() throws(HostError) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += "/\(part)"
            _ = mkdir(partial, 0o700)
        }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            let closed = "cannot be reached by uid \(geteuid()): a folder above it is closed to it"
            let why = errno == EACCES ? closed : "is not a directory"
            throw HostError(.storageFailed, "the home \(path) \(why); choose another with --home")
        }
        guard status.st_uid == geteuid() else {
            throw HostError(
                .storageFailed,
                "the home \(path) belongs to uid \(status.st_uid), nexusd runs as uid \(geteuid()); "
                    + "chown it or use --home"
            )
        }
        guard status.st_mode & 0o022 == 0 else {
            throw HostError(
                .storageFailed,
                "the home \(path) can be written by other users; check what is in it, then run: chmod 700 \(path)")
        }
        guard status.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0 else {
            throw HostError(.storageFailed, "the home \(path) is open to other users; run: chmod 700 \(path)")
        }
    }
}
