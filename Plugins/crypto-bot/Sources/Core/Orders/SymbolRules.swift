internal import JSONBytes
internal import PluginSDK

/// What the exchange demands of orders for one symbol (GET /api/v3/exchangeInfo, filters). A zero switches a bound off.
struct SymbolRules: Sendable {
    struct Range: Sendable {
        var minimum: ExactDecimal
        var maximum: ExactDecimal
        var step: ExactDecimal
    }

    struct Notional: Sendable {
        var minimum: ExactDecimal
        var maximum: ExactDecimal
        var minimumAppliesToMarket: Bool
        var maximumAppliesToMarket: Bool
    }

    var symbol: String
    var status: String
    var base: String
    var quote: String
    var price: Range?
    var quantity: Range?
    var marketQuantity: Range?
    var notional: Notional?

    /// - Throws: `exchange-refused` if the answer does not describe the symbol, or holds a filter that cannot be read:
    ///   a check that is skipped unseen is worse than none.
    init(exchangeInfo: JSONValue, symbol: String) throws(ToolError) {
        let entry = exchangeInfo["symbols"]?.arrayValue?.first { $0["symbol"]?.stringValue == symbol }
        guard let entry, let status = entry["status"]?.stringValue, let base = entry["baseAsset"]?.stringValue,
            let quote = entry["quoteAsset"]?.stringValue, let filters = entry["filters"]?.arrayValue
        else { throw ExchangeClient.unreadable("/api/v3/exchangeInfo") }
        self.symbol = symbol
        self.status = status
        self.base = base
        self.quote = quote
        for filter in filters {
            switch filter["filterType"]?.stringValue {
            case "PRICE_FILTER": price = try Self.range(filter, "minPrice", "maxPrice", "tickSize")
            case "LOT_SIZE": quantity = try Self.range(filter, "minQty", "maxQty", "stepSize")
            case "MARKET_LOT_SIZE": marketQuantity = try Self.range(filter, "minQty", "maxQty", "stepSize")
            case "NOTIONAL":
                notional = Notional(
                    minimum: try Self.number(filter, "minNotional"), maximum: try Self.number(filter, "maxNotional"),
                    minimumAppliesToMarket: filter["applyMinToMarket"]?.boolValue ?? true,
                    maximumAppliesToMarket: filter["applyMaxToMarket"]?.boolValue ?? true)
            case "MIN_NOTIONAL":
                notional = Notional(
                    minimum: try Self.number(filter, "minNotional"), maximum: .zero,
                    minimumAppliesToMarket: filter["applyToMarket"]?.boolValue ?? true, maximumAppliesToMarket: false)
            default: break  // The others need the account's history: the dry run on the exchange checks them.
            }
        }
    }

    private static func range(
        _ filter: JSONValue, _ minimum: String, _ maximum: String, _ step: String
    ) throws(ToolError) -> Range {
        Range(
            minimum: try number(filter, minimum), maximum: try number(filter, maximum),
            step: try number(filter, step))
    }

    private static func number(_ filter: JSONValue, _ name: String) throws(ToolError) -> ExactDecimal {
        guard let number = filter[name]?.stringValue.flatMap(ExactDecimal.init) else {
            throw ExchangeClient.unreadable("/api/v3/exchangeInfo, filter field \(name)")
        }
        return number
    }
}
