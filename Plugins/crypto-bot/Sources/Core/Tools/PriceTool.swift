internal import JSONBytes
internal import PluginSDK

/// `crypto_price`: the last price of one trading pair. No key needed.
enum PriceTool {
    static let about = "Last traded price of one spot trading pair. Needs no API key."

    struct Arguments: ToolArguments {
        @Argument("Trading pair as the exchange writes it, for example BTCUSDT", minLength: 1, maxLength: 40)
        var symbol: String
        init() {}
    }

    static func run(_ symbol: String, on exchange: ExchangeClient) throws(ToolError) -> ToolResult {
        let ticker = try exchange.get("/api/v3/ticker/price", FormQuery([("symbol", symbol)]))
        guard let price = ticker["price"]?.stringValue, ExactDecimal(price) != nil else {
            throw ExchangeClient.unreadable("/api/v3/ticker/price")
        }
        return .json(["symbol": .string(symbol), "price": .string(price)])
    }
}
