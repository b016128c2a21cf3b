internal import JSONBytes
internal import PluginSDK

/// One reading of the market's depth (GET /api/v3/depth), best prices first.
struct OrderBook: Sendable {
    struct Level: Sendable {
        var price: ExactDecimal
        var quantity: ExactDecimal
    }

    var bids: [Level]
    var asks: [Level]

    init(depth: JSONValue) throws(ToolError) {
        bids = try Self.levels(depth, "bids")
        asks = try Self.levels(depth, "asks")
    }

    private static func levels(_ depth: JSONValue, _ side: String) throws(ToolError) -> [Level] {
        var levels: [Level] = []
        guard let entries = depth[side]?.arrayValue else { throw ExchangeClient.unreadable("/api/v3/depth") }
        for entry in entries {
            guard let pair = entry.arrayValue, pair.count >= 2,
                let price = pair[0].stringValue.flatMap(ExactDecimal.init),
                let quantity = pair[1].stringValue.flatMap(ExactDecimal.init)
            else { throw ExchangeClient.unreadable("/api/v3/depth") }
            levels.append(Level(price: price, quantity: quantity))
        }
        return levels
    }
}
