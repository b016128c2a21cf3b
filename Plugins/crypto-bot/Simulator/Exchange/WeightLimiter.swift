/// Request weight by calendar minute: over the limit is refused (429); who goes on regardless is banned (418).
struct WeightLimiter: Sendable {
    private(set) var used = 0
    private let limit: Int
    private var minute: Int64 = 0
    private var refusals = 0
    private var bannedUntil: Int64 = 0

    init(limit: Int) { self.limit = limit }

    mutating func charge(_ weight: Int, at now: ServerTime) throws(APIError) {
        if now.seconds / 60 != minute {
            minute = now.seconds / 60
            used = 0
            refusals = 0
        }
        guard now.seconds >= bannedUntil else {
            throw .banned(untilMilliseconds: Int(bannedUntil * 1_000), retryAfter: Int(bannedUntil - now.seconds))
        }
        used += weight
        guard used > limit else { return }
        refusals += 1
        if refusals > Limits.refusalsBeforeBan { bannedUntil = now.seconds + Limits.banSeconds }
        throw .tooMuchWeight(limit: limit, retryAfter: Int(60 - now.seconds % 60))
    }

    /// A trade that succeeds costs nothing (since 2026-04-02); its weight was charged before that was known.
    mutating func refund(_ weight: Int) { used = max(0, used - weight) }
}

/// Orders of one account that have not been filled yet, by calendar interval.
struct OrderLimiter: Sendable {
    private struct Interval: Sendable {
        let seconds: Int64
        let name: String
        var index: Int64 = 0
        var count = 0

        mutating func roll(_ now: ServerTime) {
            guard now.seconds / seconds != index else { return }
            index = now.seconds / seconds
            count = 0
        }
    }

    private var short = Interval(seconds: 10, name: "10 SECOND")
    private var day = Interval(seconds: 86_400, name: "1 DAY")

    mutating func requireRoom(_ limits: Limits, at now: ServerTime) throws(APIError) {
        short.roll(now)
        day.roll(now)
        for (interval, limit) in [(short, limits.ordersPerTenSeconds), (day, limits.ordersPerDay)]
        where interval.count >= limit {
            let retryAfter = Int(interval.seconds - now.seconds % interval.seconds)
            throw .tooManyOrders(limit: limit, per: interval.name, retryAfter: retryAfter)
        }
    }

    /// Counts an order; one that was filled at once is taken off again.
    mutating func count(filled: Bool) -> [(name: String, value: String)] {
        short.count += 1
        day.count += 1
        let headers = [
            (name: "x-mbx-order-count-10s", value: String(short.count)),
            (name: "x-mbx-order-count-1d", value: String(day.count)),
        ]
        if filled {
            short.count -= 1
            day.count -= 1
        }
        return headers
    }
}
