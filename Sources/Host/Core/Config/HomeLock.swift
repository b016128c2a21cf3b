internal import Glibc
internal import SystemPackage

/// Lets one nexusd own a home: flock(2) on `nexusd.lock`, released by the kernel when the process ends, however it
/// ends.
public final class HomeLock: Sendable {
    private let descriptor: Int32
    private let home: Home

    /// - Throws: `HostError` with `homeInUse` that names the process that has it.
    public init(_ home: Home) throws(HostError) {
        // A local until the lock is ours: what is refused must not run `deinit`, which takes the holder's PID file
        // away.
        let descriptor = open(home.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw HostError(.storageFailed, "the lock \(home.lock) cannot be opened: \(Errno(rawValue: errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            let owner = FileBytes.text(home.processFile, limit: 32).map { "process \($0)" } ?? "another process"
            throw HostError(
                .homeInUse,
                "the home \(home.path) is in use by nexusd, \(owner); "
                    + "stop it with `nexus down` or choose another --home"
            )
        }
        do {
            try FileBytes.write(Array("\(getpid())\n".utf8), to: home.processFile)
        } catch {
            close(descriptor)
            throw error
        }
        self.home = home
        self.descriptor = descriptor
    }

    deinit {
        unlink(home.processFile)
        close(descriptor)
    }
}
