/// What an order would do to a reading of the book, had it been placed: the levels that it takes, and what stays open.
/// Fees, other traders and the time in between are not simulated.
struct PaperFill: Sendable {
    var fills: [OrderBook.Level] = []
    /// Sum of price × quantity over the fills, in the quote asset.
    var cost = ExactDecimal.zero
    var filled = ExactDecimal.zero
    var open: ExactDecimal

    init(_ order: OrderRequest, against book: OrderBook) throws(ExactDecimal.Overflow) {
        open = order.quantity
        for level in order.side == .buy ? book.asks : book.bids {
            guard !open.isZero, Self.reaches(order, level.price) else { break }
            let taken = min(open, level.quantity)
            if taken.isZero { continue }
            fills.append(OrderBook.Level(price: level.price, quantity: taken))
            cost = try cost.plus(level.price.times(taken))
            filled = try filled.plus(taken)
            open = try open.minus(taken)
        }
    }

    /// True if the order may trade at this price.
    private static func reaches(_ order: OrderRequest, _ price: ExactDecimal) -> Bool {
        guard let limit = order.limitPrice else { return true }
        return order.side == .buy ? price <= limit : price >= limit
    }

    /// In the exchange's words. What a market order cannot take expires; what a limit order cannot take stays open.
    func status(of order: OrderRequest) -> String {
        if open.isZero { return "FILLED" }
        if order.limitPrice == nil { return "EXPIRED" }
        return filled.isZero ? "NEW" : "PARTIALLY_FILLED"
    }
}
