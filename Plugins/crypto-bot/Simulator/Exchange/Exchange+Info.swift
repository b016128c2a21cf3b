import JSONBytes

/// exchangeInfo: the rules as clients read them.
extension Exchange {
    func exchangeInfo(_ call: inout Call) throws(APIError) -> Answer {
        let selection = try select(&call)
        _ = try call.parameters.optional("permissions")
        _ = try call.parameters.flag("showPermissionSets")
        let status = try call.parameters.optional("symbolStatus")
        try call.parameters.finish()
        let instruments = selection.instruments.filter { status == nil || $0.status == status }
        return Answer(value: [
            "timezone": "UTC",
            "serverTime": call.time(call.now),
            "rateLimits": .array([
                rateLimit("REQUEST_WEIGHT", "MINUTE", 1, limits.weightPerMinute),
                rateLimit("ORDERS", "SECOND", 10, limits.ordersPerTenSeconds),
                rateLimit("ORDERS", "DAY", 1, limits.ordersPerDay),
            ]),
            "exchangeFilters": [],
            "symbols": .array(instruments.map { $0.info }),
        ])
    }

    private func rateLimit(_ type: String, _ interval: String, _ number: Int, _ limit: Int) -> JSONValue {
        [
            "rateLimitType": .string(type), "interval": .string(interval), "intervalNum": JSONValue(number),
            "limit": JSONValue(limit),
        ]
    }
}

extension Instrument {
    fileprivate var info: JSONValue {
        [
            "symbol": .string(symbol), "status": .string(status),
            "baseAsset": .string(base), "baseAssetPrecision": 8,
            "quoteAsset": .string(quote), "quotePrecision": 8, "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
            "orderTypes": JSONValue(OrderRequest.Kind.traded.map(\.rawValue)),
            "icebergAllowed": false, "ocoAllowed": false, "otoAllowed": false, "opoAllowed": false,
            "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": false, "cancelReplaceAllowed": false,
            "amendAllowed": false, "pegInstructionsAllowed": false,
            "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
            "filters": .array(filters),
            "permissions": [], "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": "NONE", "allowedSelfTradePreventionModes": ["NONE"],
        ]
    }

    private var filters: [JSONValue] {
        func text(_ amount: Amount) -> JSONValue { .string(amount.description) }
        return [
            [
                "filterType": "PRICE_FILTER", "minPrice": text(lowestPrice), "maxPrice": text(Self.maxPrice),
                "tickSize": text(tick),
            ],
            [
                "filterType": "LOT_SIZE", "minQty": text(step), "maxQty": text(maxQuantity), "stepSize": text(step),
            ],
            [
                "filterType": "MARKET_LOT_SIZE", "minQty": text(.zero), "maxQty": text(Self.maxMarketQuantity),
                "stepSize": text(.zero),
            ],
            [
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": text(Self.priceMultiplierUp), "bidMultiplierDown": text(Self.priceMultiplierDown),
                "askMultiplierUp": text(Self.priceMultiplierUp), "askMultiplierDown": text(Self.priceMultiplierDown),
                "avgPriceMins": 5,
            ],
            [
                "filterType": "NOTIONAL", "minNotional": text(minNotional), "applyMinToMarket": true,
                "maxNotional": text(Self.maxNotional), "applyMaxToMarket": false, "avgPriceMins": 5,
            ],
            ["filterType": "MAX_NUM_ORDERS", "maxNumOrders": JSONValue(Self.maxOpenOrders)],
        ]
    }
}
