import JSONBytes

/// TRADE. An order is read and checked whole before anything changes; then everything changes at once.
extension Exchange {
    func testOrder(_ call: inout Call) throws(APIError) -> Answer {
        let withRates = try call.parameters.flag("computeCommissionRates")
        _ = try readOrder(&call)
        return Answer(value: withRates ? Self.testedRates : [:])
    }

    mutating func placeOrder(_ call: inout Call) throws(APIError) -> Answer {
        let (request, instrument, book) = try readOrder(&call)
        guard var account = accounts[call.account] else { throw .unknownKey }
        try account.limiter.requireRoom(limits, at: call.now)
        try requireAdmission(request, instrument, account)

        let matching = try Matching(request, instrument, book)
        if request.kind == .limitMaker, !matching.takes.isEmpty { throw .wouldTake }
        let wanted = request.quantity ?? matching.executed
        let order = try execute(request, isFillable(matching, wanted, request) ? matching : .none, instrument, call)
        try Self.settle(order, instrument, &account)
        account.record(order)
        account.updated = call.now
        let headers = account.limiter.count(filled: order.executed > .zero)
        nextOrderId += 1
        nextTradeId += order.fills.count
        accounts[call.account] = account
        return Answer(value: order.placed(call), headers: headers)
    }

    private func readOrder(_ call: inout Call) throws(APIError) -> (OrderRequest, Instrument, Book) {
        let request = try OrderRequest(&call.parameters)
        let (instrument, book) = try market.listing(request.symbol)
        guard OrderRequest.Kind.traded.contains(request.kind) else { throw .unsupportedType(request.kind.words) }
        try call.parameters.finish()
        try instrument.check(request, last: book.last)
        return (request, instrument, book)
    }

    private func requireAdmission(
        _ request: OrderRequest, _ instrument: Instrument, _ account: Account
    ) throws(APIError) {
        guard instrument.status == "TRADING" else { throw .marketClosed }
        let open = account.openOrders(request.symbol)
        guard !open.contains(where: { $0.clientOrderId == request.clientOrderId }) else { throw .duplicateOrder }
        guard open.count < Instrument.maxOpenOrders else { throw .filterFailure("MAX_NUM_ORDERS") }
    }

    /// Fill or kill is all or nothing.
    private func isFillable(_ matching: Matching, _ wanted: Amount, _ request: OrderRequest) -> Bool {
        request.timeInForce != .fok || matching.executed == wanted
    }

    private func execute(
        _ request: OrderRequest, _ matching: Matching, _ instrument: Instrument, _ call: Call
    ) throws(APIError) -> Order {
        var fills: [Order.Fill] = []
        for take in matching.takes {
            let received = request.side == .buy ? take.quantity : take.quote
            fills.append(
                Order.Fill(
                    price: take.price, quantity: take.quantity, quote: take.quote,
                    commission: try received.timesRoundedDown(Self.commissionRate),
                    commissionAsset: request.side == .buy ? instrument.base : instrument.quote,
                    tradeId: nextTradeId + fills.count))
        }
        let quantity = request.quantity ?? matching.executed
        let (status, reason) = Self.outcome(request, matching, of: quantity)
        return Order(
            request: request, id: nextOrderId, clientOrderId: request.clientOrderId ?? "sim-\(nextOrderId)",
            quantity: quantity, executed: matching.executed, cumulativeQuote: matching.quote, status: status,
            expiryReason: reason, fills: fills, time: call.now)
    }

    private static func outcome(
        _ request: OrderRequest, _ matching: Matching, of quantity: Amount
    ) -> (Order.Status, String?) {
        let executed = matching.executed
        let isWhole = request.quantity == nil ? !matching.isExhausted : executed == quantity
        if isWhole, executed > .zero { return (.filled, nil) }
        if request.kind == .market { return (.expired, "INSUFFICIENT_LIQUIDITY") }
        switch request.timeInForce {
        case .ioc: return (.expired, "UNFILLED_IOC_QUANTITY_EXPIRED")
        case .fok: return (.expired, "UNFILLED_FOK_ORDER_EXPIRED")
        case .gtc: return (executed > .zero ? .partiallyFilled : .new, nil)
        }
    }

    /// Moves the money: pays for the fills, takes the commission, sets aside what an open remainder may cost.
    private static func settle(
        _ order: Order, _ instrument: Instrument, _ account: inout Account
    ) throws(APIError) {
        let isBuy = order.request.side == .buy
        let (paid, received) = isBuy ? (instrument.quote, instrument.base) : (instrument.base, instrument.quote)
        if let price = order.request.price {
            // A limit order needs cover for all of it at its own price, even if it is filled for less.
            let cover = isBuy ? try price.timesRoundedDown(order.quantity) : order.quantity
            guard account.balance(paid).free >= cover else { throw .insufficientBalance }
        }
        for fill in order.fills {
            let (given, taken) = isBuy ? (fill.quote, fill.quantity) : (fill.quantity, fill.quote)
            try account.credit(Amount.zero.minus(given), of: paid)
            try account.credit(taken.minus(fill.commission), of: received)
        }
        guard order.status.isOpen, let price = order.request.price else { return }
        let rest = try order.quantity.minus(order.executed)
        try account.lock(isBuy ? price.timesRoundedDown(rest) : rest, of: paid)
    }
}
