extension OrderRequest {
    /// Reads what POST order takes. Which parameters are mandatory, and which may not be sent, depends on the type.
    init(_ parameters: inout Parameters) throws(APIError) {
        symbol = try parameters.mandatory("symbol", .symbol)
        guard let side = try parameters.choice("side", of: Side.self, else: .invalidSide) else {
            throw .missingParameter("side")
        }
        guard let kind = try parameters.choice("type", of: Kind.self, else: .invalidOrderType) else {
            throw .missingParameter("type")
        }
        self.side = side
        self.kind = kind

        let timeInForce = try parameters.choice("timeInForce", of: TimeInForce.self, else: .invalidTimeInForce)
        quantity = try parameters.amount("quantity")
        quoteQuantity = try parameters.amount("quoteOrderQty")
        price = try parameters.amount("price")
        clientOrderId = try parameters.optional("newClientOrderId", .clientOrderId)
        let detail = try parameters.choice("newOrderRespType", of: Detail.self, else: .invalidData("newOrderRespType"))
        self.detail = detail ?? (kind == .limitMaker ? .ack : .full)
        _ = try parameters.optional("selfTradePreventionMode")
        _ = try parameters.optional("strategyId", .integer)
        _ = try parameters.optional("strategyType", .integer)

        let expects = Self.expectations[kind] ?? Expectations()
        for (name, isSent) in [
            ("timeInForce", timeInForce != nil), ("quantity", quantity != nil), ("price", price != nil),
        ] where expects.mandatory.contains(name) && !isSent {
            throw .missingParameter(name)
        }
        for name in expects.forbidden { try parameters.forbid(name) }
        if kind == .market { try Self.requireOne(of: quantity, or: quoteQuantity) }
        self.timeInForce = timeInForce ?? .gtc
    }

    private struct Expectations: Sendable {
        var mandatory: Set<String> = []
        var forbidden: [String] = []
    }

    private static let expectations: [Kind: Expectations] = [
        .limit: Expectations(
            mandatory: ["timeInForce", "quantity", "price"],
            forbidden: ["quoteOrderQty", "stopPrice", "trailingDelta"]),
        .limitMaker: Expectations(
            mandatory: ["quantity", "price"],
            forbidden: ["timeInForce", "quoteOrderQty", "stopPrice", "trailingDelta"]),
        .market: Expectations(forbidden: ["timeInForce", "price", "stopPrice", "trailingDelta", "icebergQty"]),
    ]

    private static func requireOne(of quantity: Amount?, or quoteQuantity: Amount?) throws(APIError) {
        guard quantity != nil || quoteQuantity != nil else { throw .missingEither("quantity", "quoteOrderQty") }
        guard quantity == nil || quoteQuantity == nil else { throw .invalidCombination }
    }
}
