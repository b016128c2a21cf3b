internal import Glibc

/// For a host without a terminal: its own session, and its words in `nexusd.log`.
public enum BackgroundLog {
    public static func begin(_ home: Home) throws(HostError) {
        _ = setsid()
        let file = open(home.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw HostError(.storageFailed, "the log \(home.log) cannot be opened: errno \(errno)") }
        dup2(file, STDOUT_FILENO)
        dup2(file, STDERR_FILENO)
        close(file)
    }
}
