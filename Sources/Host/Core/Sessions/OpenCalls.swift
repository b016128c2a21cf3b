internal import PluginABI

/// The calls of one session that wait for their answer, as a value: it knows no clock. Times are
/// CLOCK_MONOTONIC in nanoseconds.
struct OpenCalls<Waiter: Sendable>: Sendable {
    struct Entry: Sendable {
        var waiter: Waiter
        /// Names the call before it has a stream.
        var number: UInt64
        var due: UInt64
        /// What the plugin was told: Unix milliseconds.
        var deadline: UInt64
    }
    private var entries: [UInt64: Entry] = [:]

    mutating func add(_ stream: UInt64, _ entry: Entry) { entries[stream] = entry }

    mutating func take(_ stream: UInt64) -> Waiter? { entries.removeValue(forKey: stream)?.waiter }

    mutating func takeAll() -> [Waiter] {
        defer { entries = [:] }
        return entries.values.map(\.waiter)
    }

    var streams: [UInt64] { entries.keys.sorted() }

    func stream(of number: UInt64) -> UInt64? { entries.first { $0.value.number == number }?.key }

    /// Those whose time has come, in the order of their streams, and when the next one's comes.
    func overdue(now: UInt64) -> (calls: [(stream: UInt64, entry: Entry)], next: UInt64?) {
        let late = entries.filter { $0.value.due <= now }.sorted { $0.key < $1.key }
        return (late.map { ($0.key, $0.value) }, entries.values.lazy.map(\.due).filter { $0 > now }.min())
    }
}
