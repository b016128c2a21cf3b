internal import JSONBytes
internal import PluginSDK

/// `crypto_price`: the last price of one trading pair. No key needed.
enum PriceTool {
    static func run(_ arguments: JSONValue, on exchange: ExchangeClient) throws(ToolError) -> ToolResult {
        let symbol = try OrderRequest.symbol(arguments)
        let ticker = try exchange.get("/api/v3/ticker/price", FormQuery([("symbol", symbol)]))
        guard let price = ticker["price"]?.stringValue, ExactDecimal(price) != nil else {
            throw ExchangeClient.unreadable("/api/v3/ticker/price")
        }
        return .json(["symbol": .string(symbol), "price": .string(price)])
    }
}
