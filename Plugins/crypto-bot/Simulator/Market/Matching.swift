/// What an order takes from the book. Pure: the book and the balances are left as they are.
struct Matching: Sendable {
    struct Take: Sendable {
        let price: Amount
        let quantity: Amount
        let quote: Amount
    }

    let takes: [Take]
    let executed: Amount
    let quote: Amount
    /// The book had no more to give.
    let isExhausted: Bool

    init(_ order: OrderRequest, _ instrument: Instrument, _ book: Book) throws(APIError) {
        var takes: [Take] = []
        var executed = Amount.zero
        var spent = Amount.zero
        let levels = order.side == .buy ? book.asks : book.bids
        for level in levels {
            if let price = order.price {
                guard order.side == .buy ? level.price <= price : level.price >= price else { break }
            }
            var wanted = Amount.zero
            if let quantity = order.quantity {
                wanted = try quantity.minus(executed)
            } else if let budget = order.quoteQuantity {
                wanted = try level.price.affordable(with: budget.minus(spent), step: instrument.step)
            }
            let quantity = min(wanted, level.quantity)
            guard quantity > .zero else { break }
            let quote = try level.price.timesRoundedDown(quantity)
            takes.append(Take(price: level.price, quantity: quantity, quote: quote))
            executed = try executed.plus(quantity)
            spent = try spent.plus(quote)
        }
        self.takes = takes
        self.executed = executed
        quote = spent
        isExhausted = takes.count == levels.count && takes.last?.quantity == levels.last?.quantity
    }

    static let none = Matching()

    private init() {
        takes = []
        executed = .zero
        quote = .zero
        isExhausted = false
    }
}
