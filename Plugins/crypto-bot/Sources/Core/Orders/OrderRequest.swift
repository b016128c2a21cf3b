internal import JSONBytes
internal import PluginSDK

/// An order as the agent asks for it, held to what this tool can do.
struct OrderRequest: Sendable {
    enum Side: String, Sendable { case buy = "BUY", sell = "SELL" }
    enum Kind: Sendable {
        case market
        case limit(price: ExactDecimal)
    }

    var symbol: String
    var side: Side
    var kind: Kind
    var quantity: ExactDecimal

    /// - Throws: `invalid-arguments` naming the argument and what it must be.
    init(_ arguments: JSONValue) throws(ToolError) {
        symbol = try Self.symbol(arguments)
        guard let side = arguments["side"]?.stringValue.flatMap(Side.init(rawValue:)) else {
            throw Self.refused("side", "BUY or SELL")
        }
        self.side = side
        quantity = try Self.amount("quantity", arguments)
        // The host has checked the schema already. A plugin that trades looks again.
        if let mode = arguments["mode"], mode.stringValue != "paper" {
            throw ToolError(
                .invalidArguments, "\"mode\" must be \"paper\": this version simulates orders and places none")
        }
        switch arguments["type"]?.stringValue {
        case "MARKET":
            guard arguments["price"] == nil else {
                throw ToolError(.invalidArguments, "a MARKET order takes no \"price\"; leave it out or use LIMIT")
            }
            kind = .market
        case "LIMIT": kind = .limit(price: try Self.amount("price", arguments))
        default: throw Self.refused("type", "LIMIT or MARKET")
        }
    }

    static func symbol(_ arguments: JSONValue) throws(ToolError) -> String {
        guard let symbol = arguments["symbol"]?.stringValue, (1...40).contains(symbol.unicodeScalars.count) else {
            throw refused("symbol", "a trading pair such as BTCUSDT")
        }
        return symbol
    }

    private static func amount(_ name: String, _ arguments: JSONValue) throws(ToolError) -> ExactDecimal {
        guard let text = arguments[name]?.stringValue, let amount = ExactDecimal(text), !amount.isZero else {
            throw refused(name, "a positive decimal number in a string, such as \"0.001\"")
        }
        return amount
    }

    private static func refused(_ name: String, _ expected: String) -> ToolError {
        ToolError(.invalidArguments, "\"\(name)\" must be \(expected)")
    }

    var limitPrice: ExactDecimal? {
        if case .limit(let price) = kind { return price }
        return nil
    }

    /// The order in the exchange's parameters. The same request always yields the same id, so that a repetition is seen
    /// for what it is.
    func parameters(clientOrderID: String) -> FormQuery {
        var query = FormQuery([("symbol", symbol), ("side", side.rawValue)])
        if let limitPrice {
            query.append("type", "LIMIT")
            query.append("timeInForce", "GTC")
            query.append("price", limitPrice.description)
        } else {
            query.append("type", "MARKET")
        }
        query.append("quantity", quantity.description)
        query.append("newClientOrderId", clientOrderID)
        return query
    }
}
