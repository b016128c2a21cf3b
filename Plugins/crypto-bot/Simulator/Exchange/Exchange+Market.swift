import JSONBytes

/// Public market data.
extension Exchange {
    func ping(_ call: inout Call) throws(APIError) -> Answer {
        try call.parameters.finish()
        return Answer(value: [:])
    }

    func time(_ call: inout Call) throws(APIError) -> Answer {
        try call.parameters.finish()
        return Answer(value: ["serverTime": call.time(call.now)])
    }

    func price(_ call: inout Call) throws(APIError) -> Answer {
        let selection = try select(&call)
        _ = try call.parameters.optional("symbolStatus")
        try call.parameters.finish()
        var prices: [JSONValue] = []
        for instrument in selection.instruments {
            let last = try market.listing(instrument.symbol).book.last
            prices.append(["symbol": .string(instrument.symbol), "price": .string(last.description)])
        }
        if selection.isSingle, let price = prices.first { return Answer(value: price) }
        return Answer(value: .array(prices))
    }

    func depth(_ call: inout Call) throws(APIError) -> Answer {
        let symbol = try call.parameters.mandatory("symbol", .symbol)
        let limit = try call.parameters.optional("limit", .integer).map { Int($0) ?? .max } ?? 100
        _ = try call.parameters.optional("symbolStatus")
        try call.parameters.finish()
        guard limit > 0 else { throw .invalidData("limit") }
        let book = try market.listing(symbol).book
        func side(_ levels: [Book.Level]) -> JSONValue {
            .array(levels.prefix(limit).map { [.string($0.price.description), .string($0.quantity.description)] })
        }
        return Answer(value: ["lastUpdateId": 1, "bids": side(book.bids), "asks": side(book.asks)])
    }

    /// The pairs that `symbol` or `symbols` name; all if neither is sent.
    func select(_ call: inout Call) throws(APIError) -> (instruments: [Instrument], isSingle: Bool) {
        let one = try call.parameters.optional("symbol", .symbol)
        let many = try call.parameters.optional("symbols", .symbols)
        if one != nil, many != nil { throw .invalidCombination }
        if let one { return ([try market.listing(one).instrument], true) }
        guard let many else { return (market.instruments, false) }
        var instruments: [Instrument] = []
        for symbol in Shape.symbolList(many) { instruments.append(try market.listing(symbol).instrument) }
        return (instruments, false)
    }
}
