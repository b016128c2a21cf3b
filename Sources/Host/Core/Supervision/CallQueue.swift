/// Callers that wait for a process, as a value. Bounded; and no caller can fill it for the others: who waits with the
/// most calls gives way when it is full, and who has the fewest open is served first.
struct CallQueue: Sendable {
    struct Waiter: Sendable, Equatable {
        var ticket: UInt64
        var key: Fleet.Key
        var principal: String
    }
    /// In the order of arrival.
    private(set) var waiters: [Waiter] = []

    enum Admission: Equatable {
        case waits
        /// This one waits no longer; the new one waits in its place.
        case displaces(Waiter)
        case full
    }

    mutating func add(_ waiter: Waiter, limit: Int) -> Admission {
        guard waiters.count >= limit else {
            waiters.append(waiter)
            return .waits
        }
        let counts = waiters.reduce(into: [:]) { $0[$1.principal, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        guard counts[waiter.principal, default: 0] + 1 < most,
            let index = waiters.lastIndex(where: { counts[$0.principal] == most })
        else { return .full }
        let displaced = waiters.remove(at: index)
        waiters.append(waiter)
        return .displaces(displaced)
    }

    @discardableResult
    mutating func remove(_ ticket: UInt64) -> Waiter? {
        waiters.firstIndex { $0.ticket == ticket }.map { waiters.remove(at: $0) }
    }

    mutating func removeAll() -> [Waiter] {
        defer { waiters = [] }
        return waiters
    }

    /// Takes out whose turn it is among those that can be served now.
    ///
    /// - Parameter open: how many calls of a principal are being served.
    mutating func next(open: [String: Int], where canServe: (Waiter) -> Bool) -> Waiter? {
        var best: (index: Int, open: Int)?
        for (index, waiter) in waiters.enumerated() where canServe(waiter) {
            let count = open[waiter.principal] ?? 0
            if count < best?.open ?? .max { best = (index, count) }
            if count == 0 { break }
        }
        return best.map { waiters.remove(at: $0.index) }
    }
}
