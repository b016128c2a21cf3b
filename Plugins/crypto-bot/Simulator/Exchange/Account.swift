/// One trader: key, secret, money and orders.
struct Account: Sendable {
    struct Balance: Sendable, Equatable {
        var free = Amount.zero
        var locked = Amount.zero
    }

    let key: String
    /// Of a simulated account; no real secret belongs here.
    let secret: String
    var uid = 1
    var updated = ServerTime(microseconds: 0)
    private(set) var balances: [String: Balance]
    private(set) var orders: [Order] = []
    var limiter = OrderLimiter()

    init(key: String, secret: String, balances: [String: Amount]) {
        self.key = key
        self.secret = secret
        self.balances = balances.mapValues { Balance(free: $0) }
    }

    func balance(_ asset: String) -> Balance { balances[asset] ?? Balance() }

    /// Moves `amount` into or, if negative, out of the free balance.
    mutating func credit(_ amount: Amount, of asset: String) throws(APIError) {
        var balance = balance(asset)
        balance.free = try balance.free.plus(amount)
        guard balance.free >= .zero else { throw .insufficientBalance }
        balances[asset] = balance
    }

    /// Sets `amount` of the free balance aside for an open order.
    mutating func lock(_ amount: Amount, of asset: String) throws(APIError) {
        try credit(try Amount.zero.minus(amount), of: asset)
        var balance = balance(asset)
        balance.locked = try balance.locked.plus(amount)
        balances[asset] = balance
    }

    func openOrders(_ symbol: String) -> [Order] { orders.filter { $0.symbol == symbol && $0.status.isOpen } }

    /// Adds an order; beyond the limit the oldest closed one is forgotten.
    mutating func record(_ order: Order) {
        orders.append(order)
        guard orders.count > Limits.rememberedOrders else { return }
        if let oldest = orders.firstIndex(where: { !$0.status.isOpen }) { orders.remove(at: oldest) }
    }
}
