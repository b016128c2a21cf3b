internal import JSONBytes
internal import PluginSDK

/// `crypto_order` in paper mode: the order is checked here, checked by the exchange, and filled on paper. None is
/// placed: this file names `/api/v3/order/test` and no other way to order.
enum OrderTool {
    static func run(
        _ arguments: JSONValue, requestID: String, on exchange: ExchangeClient,
        as account: ExchangeClient.Account
    ) throws(ToolError) -> ToolResult {
        let order = try OrderRequest(arguments)
        let symbol = FormQuery([("symbol", order.symbol)])
        let info = try exchange.get("/api/v3/exchangeInfo", symbol)
        let rules = try SymbolRules(exchangeInfo: info, symbol: order.symbol)
        var depth = symbol
        depth.append("limit", "100")
        let book = try OrderBook(depth: exchange.get("/api/v3/depth", depth))
        let (paper, worth) = try estimate(order, book)
        try rules.check(order, worth: worth)
        let clientOrderID = ClientOrderID.make(requestID: requestID)
        try dryRun(order.parameters(clientOrderID: clientOrderID), on: exchange, as: account)
        return .json(report(order, rules, paper, clientOrderID))
    }

    /// The fill on paper, and what the exchange's notional filter weighs: a limit order at its own price, a market
    /// order at the book's.
    private static func estimate(
        _ order: OrderRequest, _ book: OrderBook
    ) throws(ToolError) -> (fill: PaperFill, worth: ExactDecimal) {
        do {
            let fill = try PaperFill(order, against: book)
            return (fill, try order.limitPrice?.times(order.quantity) ?? fill.cost)
        } catch {
            throw ToolError(.invalidArguments, "price and quantity are too large to compute with")
        }
    }

    private static func dryRun(
        _ parameters: FormQuery, on exchange: ExchangeClient, as account: ExchangeClient.Account
    ) throws(ToolError) {
        do {
            _ = try exchange.signed("POST", "/api/v3/order/test", parameters, as: account)
        } catch  where error.code == .outcomeUnknown {
            throw ToolError(
                .unavailable, "The exchange did not answer the dry run. Nothing was placed: it was a test order.",
                retryable: true)
        }
    }

    private static func report(
        _ order: OrderRequest, _ rules: SymbolRules, _ paper: PaperFill, _ clientOrderID: String
    ) -> JSONValue {
        let fills = paper.fills.map { fill -> JSONValue in
            ["price": .string(fill.price.description), "quantity": .string(fill.quantity.description)]
        }
        var members: [(key: String, value: JSONValue)] = [
            ("mode", "paper"), ("orderPlaced", false), ("dryRun", "accepted"), ("symbol", .string(order.symbol)),
            ("side", .string(order.side.rawValue)), ("type", order.limitPrice == nil ? "MARKET" : "LIMIT"),
            ("quantity", .string(order.quantity.description)),
        ]
        if let price = order.limitPrice { members.append(("price", .string(price.description))) }
        members += [
            ("clientOrderId", .string(clientOrderID)), ("status", .string(paper.status(of: order))),
            ("filledQuantity", .string(paper.filled.description)), ("fills", .array(fills)),
            ("estimatedCost", .string(paper.cost.description)), ("costAsset", .string(rules.quote)),
            ("note", "Paper mode: no order was placed. Fills are simulated on the current book, without fees."),
        ]
        return .object(JSONObject(members))
    }
}
