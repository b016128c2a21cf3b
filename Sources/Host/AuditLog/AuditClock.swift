internal import Glibc

/// The time as the log writes it.
public enum AuditClock {
    /// Now, RFC 3339 in UTC with milliseconds: `2026-11-21T09:30:00.125Z`.
    @Sendable public static func now() -> String {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        var parts = tm()
        var seconds = clock.tv_sec
        gmtime_r(&seconds, &parts)
        let fields = [
            Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday), Int(parts.tm_hour), Int(parts.tm_min),
            Int(parts.tm_sec), clock.tv_nsec / 1_000_000,
        ].map(String.init)
        let padded = zip(fields, [4, 2, 2, 2, 2, 2, 3]).map { text, width in
            String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded[0])-\(padded[1])-\(padded[2])T\(padded[3]):\(padded[4]):\(padded[5]).\(padded[6])Z"
    }
}
