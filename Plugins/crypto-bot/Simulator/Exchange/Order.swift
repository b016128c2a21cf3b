/// An order as its sender asked for it.
struct OrderRequest: Sendable {
    enum Side: String, Sendable { case buy = "BUY", sell = "SELL" }

    /// All that the API knows; the simulator trades the first three.
    enum Kind: String, Sendable {
        case limit = "LIMIT", market = "MARKET", limitMaker = "LIMIT_MAKER"
        case stopLoss = "STOP_LOSS", stopLossLimit = "STOP_LOSS_LIMIT"
        case takeProfit = "TAKE_PROFIT", takeProfitLimit = "TAKE_PROFIT_LIMIT"

        static let traded: [Kind] = [.limit, .limitMaker, .market]

        /// As in "Stop loss orders are not supported for this symbol."
        var words: String {
            let text = rawValue.lowercased().split(separator: "_").joined(separator: " ")
            return text.prefix(1).uppercased() + text.dropFirst()
        }
    }

    enum TimeInForce: String, Sendable { case gtc = "GTC", ioc = "IOC", fok = "FOK" }
    enum Detail: String, Sendable { case ack = "ACK", result = "RESULT", full = "FULL" }

    let symbol: String
    let side: Side
    let kind: Kind
    let timeInForce: TimeInForce
    /// Nil for a market order by amount of quote.
    let quantity: Amount?
    let quoteQuantity: Amount?
    /// Nil for a market order.
    let price: Amount?
    let clientOrderId: String?
    let detail: Detail
}

/// An order that the exchange took.
struct Order: Sendable {
    enum Status: String, Sendable {
        case new = "NEW", partiallyFilled = "PARTIALLY_FILLED", filled = "FILLED", expired = "EXPIRED"

        var isOpen: Bool { self == .new || self == .partiallyFilled }
    }

    struct Fill: Sendable {
        let price: Amount
        let quantity: Amount
        /// Price times quantity, cut off at the eighth decimal.
        let quote: Amount
        let commission: Amount
        let commissionAsset: String
        let tradeId: Int
    }

    let request: OrderRequest
    let id: Int
    let clientOrderId: String
    let quantity: Amount
    let executed: Amount
    let cumulativeQuote: Amount
    let status: Status
    let expiryReason: String?
    let fills: [Fill]
    let time: ServerTime

    var symbol: String { request.symbol }
}
