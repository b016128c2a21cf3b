internal import Synchronization

/// The latencies of one instance in a fixed 1.7 KB: buckets that grow with the value, eight to each power of two, so
/// that a percentile is at most 12.5 % above the truth. From 1 µs to 134 s; what is outside counts as the nearest.
final class LatencyHistogram: Sendable {
    /// In each power of two.
    private static let steps: UInt64 = 8
    private static let powers = 27
    private let buckets = Mutex([UInt64](repeating: 0, count: (powers - 2) * 8 + 8))

    func record(nanoseconds: Int64) {
        let index = Self.index(ofMicroseconds: UInt64(max(nanoseconds, 0)) / 1_000)
        buckets.withLock { $0[min(index, $0.count - 1)] += 1 }
    }

    /// The value that this share of the observations does not exceed, in microseconds; nil where there are none.
    func microseconds(atShare share: Double) -> Int? {
        let counts = buckets.withLock { $0 }
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = max(1, UInt64((Double(total) * share).rounded(.up)))
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= rank { return Int(Self.upperEnd(of: index)) }
        }
        return nil
    }

    /// Values below 8 have a bucket each; above, the first three bits behind the leading one choose it.
    static func index(ofMicroseconds value: UInt64) -> Int {
        guard value >= steps else { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        let step = value >> UInt64(power - 3) & (steps - 1)
        return (power - 2) * Int(steps) + Int(step)
    }

    /// The largest value of a bucket.
    static func upperEnd(of index: Int) -> UInt64 {
        guard index >= Int(steps) else { return UInt64(index) }
        let (power, step) = (index / 8 + 2, UInt64(index % 8))
        return ((steps + step + 1) << UInt64(power - 3)) - 1
    }
}
