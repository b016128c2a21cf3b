#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The wall clock, in the unit of the ABI's deadlines.
public enum Clock {
    /// Milliseconds since 1970-01-01 UTC (clock_gettime(2), CLOCK_REALTIME).
    public static func unixMilliseconds() -> UInt64 {
        var time = timespec()
        guard clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
        return UInt64(clamping: time.tv_sec) * 1_000 + UInt64(clamping: time.tv_nsec / 1_000_000)
    }
}
