import JSONBytes

extension Order {
    /// The answer to POST order, as much of it as was asked for.
    func placed(_ call: Call) -> JSONValue {
        var answer = JSONObject([
            ("symbol", .string(symbol)), ("orderId", JSONValue(id)), ("orderListId", -1),
            ("clientOrderId", .string(clientOrderId)), ("transactTime", call.time(time)),
        ])
        if request.detail == .ack { return .object(answer) }
        for (name, value) in terms { answer[name] = value }
        answer["workingTime"] = call.time(time)
        if request.detail == .full { answer["fills"] = .array(fills.map(\.json)) }
        answer["selfTradePreventionMode"] = "NONE"
        if let expiryReason { answer["expiryReason"] = .string(expiryReason) }
        return .object(answer)
    }

    /// The answer to GET order.
    func status(_ call: Call) -> JSONValue {
        var answer = JSONObject([
            ("symbol", .string(symbol)), ("orderId", JSONValue(id)), ("orderListId", -1),
            ("clientOrderId", .string(clientOrderId)),
        ])
        for (name, value) in terms { answer[name] = value }
        answer["stopPrice"] = .string(Amount.zero.description)
        answer["icebergQty"] = .string(Amount.zero.description)
        answer["time"] = call.time(time)
        answer["updateTime"] = call.time(time)
        answer["isWorking"] = true
        answer["workingTime"] = call.time(time)
        answer["selfTradePreventionMode"] = "NONE"
        if let expiryReason { answer["expiryReason"] = .string(expiryReason) }
        return .object(answer)
    }

    private var terms: [(String, JSONValue)] {
        [
            ("price", .string((request.price ?? .zero).description)),
            ("origQty", .string(quantity.description)),
            ("executedQty", .string(executed.description)),
            ("origQuoteOrderQty", .string((request.quoteQuantity ?? .zero).description)),
            ("cummulativeQuoteQty", .string(cumulativeQuote.description)),  // spelled so by the exchange
            ("status", .string(status.rawValue)),
            ("timeInForce", .string(request.timeInForce.rawValue)),
            ("type", .string(request.kind.rawValue)),
            ("side", .string(request.side.rawValue)),
        ]
    }
}

extension Order.Fill {
    fileprivate var json: JSONValue {
        [
            "price": .string(price.description), "qty": .string(quantity.description),
            "commission": .string(commission.description), "commissionAsset": .string(commissionAsset),
            "tradeId": JSONValue(tradeId),
        ]
    }
}
