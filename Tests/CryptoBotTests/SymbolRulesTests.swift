import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct SymbolRulesTests {
    static let info = """
        {"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
        {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
        {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"100.00000000","stepSize":"0.00000000"},
        {"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5"},
        {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000",
        "applyMaxToMarket":false,"avgPriceMins":5}]}]}
        """

    private func rules(_ text: String = info) throws -> SymbolRules {
        try SymbolRules(exchangeInfo: JSONValue(parsing: text), symbol: "BTCUSDT")
    }

    @Test func filtersAreReadAsExactNumbers() throws {
        let rules = try rules()
        #expect(rules.base == "BTC")
        #expect(rules.price?.step.description == "0.01")
        #expect(rules.marketQuantity?.step.isZero == true)
        #expect(rules.notional?.minimum.description == "5")
        #expect(rules.notional?.maximumAppliesToMarket == false)
    }

    @Test func filterThatCannotBeReadIsNotSkipped() {
        let broken = Self.info.replacing("\"stepSize\":\"0.00001000\"", with: "\"stepSize\":1e-5")
        let error = #expect(throws: ToolError.self) { try rules(broken) }
        #expect(error?.message.contains("stepSize") == true)
    }

    @Test func symbolThatIsNotInTheAnswerIsAnError() {
        #expect(throws: ToolError.self) { try rules("{\"symbols\":[]}") }
    }
}
