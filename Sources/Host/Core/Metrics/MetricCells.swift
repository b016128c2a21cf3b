// The numbers themselves. An observation is one atomic operation or one short lock; it allocates nothing.
internal import CoreMetrics
internal import Synchronization

/// A sum that only grows.
final class CounterCell: CounterHandler {
    private let sum = Atomic<Int64>(0)

    var value: Int64 { sum.load(ordering: .relaxed) }

    func increment(by amount: Int64) {
        if amount > 0 { sum.wrappingAdd(amount, ordering: .relaxed) }
    }

    func reset() { sum.store(0, ordering: .relaxed) }
}

/// A number that goes up and down.
final class GaugeCell: MeterHandler, RecorderHandler {
    private let number = Mutex(0.0)

    var value: Double { number.withLock { $0 } }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { number.withLock { $0 = value } }
    func increment(by amount: Double) { number.withLock { $0 += amount } }
    func decrement(by amount: Double) { number.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// How many observations fell below each bound.
final class HistogramCell: TimerHandler, RecorderHandler {
    struct Counts: Sendable, Equatable {
        /// One for each bound, and one for what is above them all; not cumulative.
        var buckets: [UInt64]
        var sum: Int64 = 0
    }
    /// Rising, in the unit of the observations.
    let bounds: [Int64]
    private let counts: Mutex<Counts>

    init(bounds: [Int64]) {
        self.bounds = bounds
        counts = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    var value: Counts { counts.withLock { $0 } }

    func recordNanoseconds(_ duration: Int64) { record(duration) }

    func record(_ value: Double) { record(Int64(exactly: value.rounded()) ?? 0) }

    func record(_ value: Int64) {
        // A bound belongs to its own bucket: le means "less or equal".
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        counts.withLock { counts in
            counts.buckets[low] += 1
            counts.sum &+= max(value, 0)
        }
    }
}
