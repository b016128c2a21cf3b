import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct SymbolRulesCheckingTests {
    private func refusal(
        quantity: String, price: String? = nil, worth: String, info: String = SymbolRulesTests.info
    ) throws -> String? {
        let rules = try SymbolRules(exchangeInfo: JSONValue(parsing: info), symbol: "BTCUSDT")
        var arguments = JSONObject([
            ("symbol", "BTCUSDT"), ("side", "BUY"), ("type", price == nil ? "MARKET" : "LIMIT"),
            ("quantity", .string(quantity)),
        ])
        if let price { arguments["price"] = .string(price) }
        do {
            try rules.check(OrderRequest(.object(arguments)), worth: #require(ExactDecimal(worth)))
            return nil
        } catch let error as ToolError {
            return error.message
        }
    }

    @Test func orderWithinAllFiltersPasses() throws {
        #expect(try refusal(quantity: "0.001", price: "97250.10", worth: "97.2501") == nil)
        #expect(try refusal(quantity: "0.001", worth: "97.25") == nil)
    }

    @Test func priceOffItsTickNamesTheTickAndItsNeighbours() throws {
        #expect(
            try refusal(quantity: "0.001", price: "97250.105", worth: "97")
                == "price 97250.105 is not a multiple of 0.01 USDT; use 97250.1 or 97250.11 (filter PRICE_FILTER); "
                + "nothing was sent")
    }

    @Test func quantityOffItsStepNamesTheStep() throws {
        let message = try refusal(quantity: "0.0000123", price: "97250.10", worth: "6")
        let expected = "quantity 0.0000123 is not a multiple of 0.00001 BTC; use 0.00001 or 0.00002"
        #expect(message?.hasPrefix(expected) == true)
    }

    @Test func quantityBelowTheMinimumNamesTheMinimum() throws {
        let message = try refusal(quantity: "0.000001", price: "97250.10", worth: "6")
        #expect(message?.hasPrefix("quantity 0.000001 is below the minimum of 0.00001 BTC (filter LOT_SIZE)") == true)
    }

    @Test func marketOrderHasItsOwnMaximum() throws {
        #expect(try refusal(quantity: "101", price: "97250.10", worth: "6000") == nil)
        #expect(try refusal(quantity: "101", worth: "6000")?.contains("MARKET_LOT_SIZE") == true)
    }

    @Test func orderWorthTooLittleNamesTheMinimum() throws {
        let message = try refusal(quantity: "0.00001", price: "97250.10", worth: "0.972501")
        #expect(message?.hasPrefix("the order is worth 0.972501 USDT, the minimum is 5 USDT") == true)
    }

    @Test func maximumWorthIsNotHeldAgainstMarketOrdersUnlessTheFilterSaysSo() throws {
        #expect(try refusal(quantity: "100", worth: "9000001") == nil)
        #expect(try refusal(quantity: "100", price: "97250.10", worth: "9000001")?.contains("NOTIONAL") == true)
    }

    @Test func haltedMarketTakesNoOrder() throws {
        let halted = SymbolRulesTests.info.replacing("TRADING", with: "BREAK")
        #expect(try refusal(quantity: "1", worth: "97250", info: halted)?.contains("status BREAK") == true)
    }
}
