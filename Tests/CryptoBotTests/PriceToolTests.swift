import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct PriceToolTests {
    @Test func priceIsPassedOnDigitByDigit() throws {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/ticker/price", "{\"symbol\":\"BTCUSDT\",\"price\":\"97250.10000000\"}")
        let result = try PriceTool.run("BTCUSDT", on: exchange.client)
        #expect(result == .json(["symbol": "BTCUSDT", "price": "97250.10000000"]))
    }

    @Test func priceThatIsNoDecimalIsNotPassedOn() {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/ticker/price", "{\"symbol\":\"BTCUSDT\",\"price\":97250.1}")
        #expect(throws: ToolError.self) { try PriceTool.run("BTCUSDT", on: exchange.client) }
    }
}
