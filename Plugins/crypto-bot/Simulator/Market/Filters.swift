/// The symbol filters, checked in exact decimals (filters.md).
extension Instrument {
    func check(_ order: OrderRequest, last: Amount) throws(APIError) {
        if let price = order.price { try check(price: price, last: last) }
        if let quantity = order.quantity {
            guard quantity > .zero else { throw .invalidQuantity }
            guard quantity >= step, quantity <= maxQuantity, quantity.isMultiple(of: step) else {
                throw .filterFailure("LOT_SIZE")
            }
            if order.kind == .market, quantity > Self.maxMarketQuantity { throw .filterFailure("MARKET_LOT_SIZE") }
        }
        try check(notional: notional(order, last: last), isMarket: order.kind == .market)
    }

    private func check(price: Amount, last: Amount) throws(APIError) {
        guard price > .zero else { throw .invalidPrice }
        guard price >= lowestPrice, price <= Self.maxPrice, price.isMultiple(of: tick) else {
            throw .filterFailure("PRICE_FILTER")
        }
        guard price <= (try last.timesRoundedDown(Self.priceMultiplierUp)),
            price >= (try last.timesRoundedDown(Self.priceMultiplierDown))
        else { throw .filterFailure("PERCENT_PRICE_BY_SIDE") }
    }

    private func check(notional: Amount, isMarket: Bool) throws(APIError) {
        guard notional >= minNotional, isMarket || notional <= Self.maxNotional else {
            throw .filterFailure("NOTIONAL")
        }
    }

    private func notional(_ order: OrderRequest, last: Amount) throws(APIError) -> Amount {
        if let quote = order.quoteQuantity { return quote }
        guard let quantity = order.quantity else { throw .invalidQuantity }
        return try (order.price ?? last).timesRoundedDown(quantity)
    }

    /// The smallest price is one tick.
    var lowestPrice: Amount { max(tick, Self.minPrice) }
}
