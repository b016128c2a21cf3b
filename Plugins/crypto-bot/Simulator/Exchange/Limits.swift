/// The quotas that exchangeInfo announces and the exchange holds its callers to.
struct Limits: Sendable {
    /// Request weight per calendar minute, over all callers: on loopback they share one address.
    var weightPerMinute = 6_000
    /// Unfilled orders per account.
    var ordersPerTenSeconds = 100
    var ordersPerDay = 200_000

    /// After so many refusals in one minute the address is banned.
    static let refusalsBeforeBan = 100
    static let banSeconds: Int64 = 120

    /// Orders of one account that can still be queried; open ones are never forgotten.
    static let rememberedOrders = 2_000

    /// How long an unfinished request may hold up the end.
    static let shutdown = Duration.seconds(2)

    /// Bytes of a request's body, and of its line and fields together.
    static let bodyBytes = 64 << 10
    static let headBytes = 16 << 10
}
