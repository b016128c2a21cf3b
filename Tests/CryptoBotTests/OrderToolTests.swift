import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct OrderToolTests {
    private let order: JSONValue = [
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "97250.10",
    ]

    private func exchange() -> FakeExchange {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/exchangeInfo", SymbolRulesTests.info)
        exchange.answer("/api/v3/depth", "{\"bids\":[],\"asks\":[[\"97000.00\",\"0.0004\"],[\"98000.00\",\"5\"]]}")
        return exchange
    }

    private func run(_ exchange: FakeExchange, _ arguments: JSONValue? = nil) throws -> JSONValue {
        try OrderTool.run(
            arguments ?? order, requestID: "request-1", on: exchange.client, as: FakeExchange.account
        ).value
    }

    @Test func paperOrderIsTestedAndFilledAndNotPlaced() throws {
        let exchange = exchange()
        exchange.answer("/api/v3/order/test", "{}")
        let result = try run(exchange)
        #expect(result["mode"] == "paper")
        #expect(result["orderPlaced"] == false)
        #expect(result["status"] == "PARTIALLY_FILLED")
        #expect(result["fills"] == [["price": "97000", "quantity": "0.0004"]])
        #expect(result["estimatedCost"] == "38.8")
        #expect(result["costAsset"] == "USDT")
        #expect(
            exchange.requests.map { "\($0.method) \($0.path)" } == [
                "GET /api/v3/exchangeInfo", "GET /api/v3/depth", "POST /api/v3/order/test",
            ])
        #expect(exchange.requests[2].query?.contains("newClientOrderId=nx-") == true)
    }

    @Test func orderThatAFilterRefusesNeverLeaves() {
        let exchange = exchange()
        let error = #expect(throws: ToolError.self) {
            try run(
                exchange,
                ["symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "97250.105"])
        }
        #expect(error?.message.contains("multiple of 0.01") == true)
        #expect(exchange.requests.count == 2)
    }

    @Test func dryRunWithoutAnAnswerSaysThatNothingWasPlaced() {
        let exchange = exchange()
        exchange.answer("/api/v3/order/test", status: 502, "")
        let error = #expect(throws: ToolError.self) { try run(exchange) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("Nothing was placed") == true)
        #expect(exchange.requests.count == 3)
    }

    @Test func liveModeIsRefusedBeforeAnythingIsSent() {
        let exchange = exchange()
        var live = order.objectValue ?? JSONObject()
        live["mode"] = "live"
        #expect(throws: ToolError.self) { try run(exchange, .object(live)) }
        #expect(exchange.requests.isEmpty)
    }

    @Test func sameRequestSendsTheSameClientOrderID() throws {
        let (first, second) = (exchange(), exchange())
        for exchange in [first, second] { exchange.answer("/api/v3/order/test", "{}") }
        #expect(try run(first)["clientOrderId"] == run(second)["clientOrderId"])
    }
}
