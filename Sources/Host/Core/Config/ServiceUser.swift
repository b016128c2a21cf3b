internal import CJail
internal import Glibc

/// The ordinary user that a host becomes when root starts it. Only nexus-jail, started before, keeps root.
public struct ServiceUser: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    public static let standardAccount = "nexus"
    /// Used when there is no such account. 60578–61183 is left free by systemd's and Debian's allotments.
    static let fallback: UInt32 = 60_999

    /// - Throws: `invalidRequest` for an account that does not exist, unless it is the standard one, or that is root.
    public static func find(_ account: String) throws(HostError) -> ServiceUser {
        guard let record = getpwnam(account) else {
            guard account == standardAccount else {
                throw HostError(
                    .invalidRequest, "there is no account \"\(account)\" to serve as; name another with --user")
            }
            return ServiceUser(uid: fallback, gid: fallback)
        }
        guard record.pointee.pw_uid != 0 else {
            throw HostError(.invalidRequest, "nexusd does not serve as root; name an ordinary account with --user")
        }
        return ServiceUser(uid: record.pointee.pw_uid, gid: record.pointee.pw_gid)
    }

    /// Makes the home and gives it to this user, if it is root's or new. Call as root.
    public func take(_ home: Home) throws(HostError) {
        var status = stat()
        if lstat(home.path, &status) != 0 {
            var partial = ""
            for part in home.path.split(separator: "/").dropLast() {
                partial += "/\(part)"
                _ = mkdir(partial, 0o755)
            }
            // Another that starts at the same time may have made it meanwhile; whose it is, is looked at below.
            guard mkdir(home.path, 0o700) == 0 || errno == EEXIST, lstat(home.path, &status) == 0 else {
                throw HostError(.storageFailed, "the home \(home.path) could not be made: errno \(errno)")
            }
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw HostError(.storageFailed, "the home \(home.path) is not a directory; choose another with --home")
        }
        guard status.st_uid != uid else { return }
        // Only an empty directory of root's: a home of somebody else, or one full of files, is not ours to take.
        guard status.st_uid == 0, isEmpty(home.path), lchown(home.path, uid, gid) == 0 else {
            let isHome = access(home.lock, F_OK) == 0
            let remedy = isHome ? "run: chown -R \(uid):\(gid) \(home.path)" : "choose an empty directory with --home"
            throw HostError(
                .storageFailed,
                "the directory \(home.path) belongs to uid \(status.st_uid) and is not empty; \(remedy)")
        }
    }

    /// Becomes this user for good, in every thread.
    public func become() throws(HostError) {
        let failure = cjail_become(uid, gid)
        guard failure == 0 else {
            throw HostError(.storageFailed, "root could not be given up for uid \(uid): errno \(failure)")
        }
    }

    private func isEmpty(_ path: String) -> Bool {
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count <= 2
    }
}

/// Protects the memory of a process that holds secrets.
public enum ProcessProtection {
    /// Not dumpable, no core file, no new privileges (prctl(2)).
    public static func apply() throws(HostError) {
        let failure = cjail_protect_process()
        guard failure == 0 else {
            throw HostError(.storageFailed, "this process could not be made undumpable: errno \(failure)")
        }
    }
}
