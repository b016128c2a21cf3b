internal import Glibc

/// Bytes from the kernel's generator, through the standard library's (getrandom(2)).
enum RandomBytes {
    static func make(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

enum Hex {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }

    /// The bytes of an even number of hex digits; nil for anything else.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// The wall clock, and one that only goes forward.
public enum Clock {
    @Sendable public static func unixSeconds() -> Int { time(nil) }

    @Sendable public static func unixMilliseconds() -> UInt64 {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        return UInt64(clock.tv_sec) * 1_000 + UInt64(clock.tv_nsec) / 1_000_000
    }

    /// CLOCK_MONOTONIC, for durations: nobody sets this clock.
    @Sendable public static func monotonicMilliseconds() -> UInt64 { monotonicNanoseconds() / 1_000_000 }

    /// What is left until a time of `monotonicNanoseconds`.
    static func millisecondsLeft(until due: UInt64) -> UInt64 {
        let now = monotonicNanoseconds()
        return due > now ? (due - now) / 1_000_000 : 0
    }

    /// The same in nanoseconds.
    static func monotonicNanoseconds() -> UInt64 {
        var clock = timespec()
        clock_gettime(CLOCK_MONOTONIC, &clock)
        return UInt64(clock.tv_sec) * 1_000_000_000 + UInt64(clock.tv_nsec)
    }
}
