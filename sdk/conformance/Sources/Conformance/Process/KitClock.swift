internal import Glibc

/// Milliseconds: monotonic for measuring, Unix time for deadlines on the wire.
enum KitClock {
    static func monotonic() -> Int { milliseconds(CLOCK_MONOTONIC) }
    static func unix() -> UInt64 { UInt64(milliseconds(CLOCK_REALTIME)) }

    static func sleep(milliseconds: Int) { usleep(UInt32(milliseconds) * 1_000) }

    private static func milliseconds(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
