import JSONBytes

/// USER_DATA.
extension Exchange {
    /// Maker and taker alike: a tenth of a percent, in what is received.
    static let commissionRate = Amount(1, e: -3)

    func account(_ call: inout Call) throws(APIError) -> Answer {
        let omitsZero = try call.parameters.flag("omitZeroBalances")
        try call.parameters.finish()
        guard let account = accounts[call.account] else { throw .unknownKey }
        let assets = Set(market.assets).union(account.balances.keys).sorted()
        let balances = assets.compactMap { asset -> JSONValue? in
            let balance = account.balance(asset)
            if omitsZero, balance == Account.Balance() { return nil }
            return [
                "asset": .string(asset), "free": .string(balance.free.description),
                "locked": .string(balance.locked.description),
            ]
        }
        return Answer(value: [
            "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
            "commissionRates": Self.rates,
            "canTrade": true, "canWithdraw": false, "canDeposit": false,
            "brokered": false, "requireSelfTradePrevention": false, "preventSor": false,
            "updateTime": call.time(account.updated),
            "accountType": "SPOT",
            "balances": .array(balances),
            "permissions": ["SPOT"],
            "uid": JSONValue(account.uid),
        ])
    }

    private static let rates: JSONValue = [
        "maker": .string(commissionRate.description), "taker": .string(commissionRate.description),
        "buyer": .string(Amount.zero.description), "seller": .string(Amount.zero.description),
    ]

    /// What order/test adds when it is asked for the rates.
    static let testedRates: JSONValue = [
        "standardCommissionForOrder": makerAndTaker(commissionRate),
        "specialCommissionForOrder": makerAndTaker(.zero),
        "taxCommissionForOrder": makerAndTaker(.zero),
        "discount": [
            "enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB",
            "discount": .string(Amount.zero.description),
        ],
    ]

    private static func makerAndTaker(_ rate: Amount) -> JSONValue {
        ["maker": .string(rate.description), "taker": .string(rate.description)]
    }

    func queryOrder(_ call: inout Call) throws(APIError) -> Answer {
        let symbol = try call.parameters.mandatory("symbol", .symbol)
        let id = try call.parameters.optional("orderId", .integer)
        let clientId = try call.parameters.optional("origClientOrderId", .clientOrderId)
        try call.parameters.finish()
        guard id != nil || clientId != nil else { throw .missingEither("origClientOrderId", "orderId") }
        _ = try market.listing(symbol)
        // The newest first: a client's id may be used again once its order is closed.
        let order = accounts[call.account]?.orders.last { order in
            order.symbol == symbol && (id.map { Int($0) == order.id } ?? true)
                && (clientId.map { $0 == order.clientOrderId } ?? true)
        }
        guard let order else { throw .orderUnknown }
        return Answer(value: order.status(call))
    }
}
