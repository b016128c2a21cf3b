/// What is to be done at which time, as a value: it knows no clock. Times are CLOCK_MONOTONIC in nanoseconds.
struct TimerQueue<Work: Sendable>: Sendable {
    /// Names one timer until it is taken or cancelled.
    struct Key: Sendable, Hashable {
        fileprivate var due: UInt64
        fileprivate var number: UInt64

        /// Of two at the same time, the older comes first.
        fileprivate func isAfter(_ other: Key) -> Bool { (due, number) > (other.due, other.number) }
    }
    /// The earliest is last. There are a few for each instance, so moving them is cheaper than a heap of stale ones.
    private var entries: [(key: Key, work: Work)] = []
    private var next: UInt64 = 0

    /// When the first one is due; nil if there is none.
    var first: UInt64? { entries.last?.key.due }

    mutating func add(_ due: UInt64, _ work: Work) -> Key {
        let key = Key(due: due, number: next)
        next += 1
        entries.insert((key, work), at: place(of: key))
        return key
    }

    /// No effect on one that was taken already.
    mutating func cancel(_ key: Key) {
        let place = place(of: key)
        if place < entries.count, entries[place].key == key { entries.remove(at: place) }
    }

    /// Takes one that is due; nil if none is.
    mutating func take(now: UInt64) -> Work? {
        guard let first, first <= now else { return nil }
        return entries.popLast()?.work
    }

    /// The first index whose timer is not after `key`.
    private func place(of key: Key) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key.isAfter(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
