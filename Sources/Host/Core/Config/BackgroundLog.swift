internal import Glibc
internal import Synchronization

/// For a host without a terminal: its own session, and its words in `nexusd.log`. Whoever started it keeps an ear on
/// the
/// first standard error until the host is ready.
public enum BackgroundLog {
    private static let starter: Mutex<Int32> = Mutex(-1)

    public static func begin(_ home: Home) throws(HostError) {
        _ = setsid()
        let file = open(home.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw HostError(.storageFailed, "the log \(home.log) cannot be opened: errno \(errno)") }
        let first = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
        starter.withLock { $0 = first }
        dup2(file, STDOUT_FILENO)
        dup2(file, STDERR_FILENO)
        close(file)
    }

    /// Says why the host could not start.
    public static func tellStarter(_ words: String) {
        starter.withLock { _ = write($0, words, words.utf8.count) }
    }

    /// The starter has gone its way.
    public static func releaseStarter() {
        starter.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
