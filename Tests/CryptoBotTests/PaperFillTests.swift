import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct PaperFillTests {
    private func fill(
        _ side: String, _ quantity: String, price: String? = nil
    ) throws -> (fill: PaperFill, status: String) {
        let book = try OrderBook(
            depth: JSONValue(
                parsing: """
                    {"lastUpdateId":1,"bids":[["99.00","1"],["98.00","2"]],"asks":[["100.00","0.5"],["101.00","2"]]}
                    """))
        var arguments = JSONObject([
            ("symbol", "X"), ("side", .string(side)), ("type", price == nil ? "MARKET" : "LIMIT"),
            ("quantity", .string(quantity)),
        ])
        if let price { arguments["price"] = .string(price) }
        let order = try OrderRequest(.object(arguments))
        let fill = try PaperFill(order, against: book)
        return (fill, fill.status(of: order))
    }

    @Test func marketBuyWalksUpTheAsks() throws {
        let (fill, status) = try fill("BUY", "0.75")
        #expect(fill.fills.map { "\($0.quantity)@\($0.price)" } == ["0.5@100", "0.25@101"])
        #expect(fill.cost.description == "75.25")
        #expect(status == "FILLED")
    }

    @Test func marketSellWalksDownTheBids() throws {
        let (fill, _) = try fill("SELL", "1.5")
        #expect(fill.cost.description == "148")
    }

    @Test func limitOrderTakesNothingBeyondItsPrice() throws {
        let (fill, status) = try fill("BUY", "0.75", price: "100.50")
        #expect(fill.filled.description == "0.5")
        #expect(fill.open.description == "0.25")
        #expect(status == "PARTIALLY_FILLED")
    }

    @Test func limitOrderAwayFromTheMarketRests() throws {
        #expect(try fill("SELL", "1", price: "99.01").status == "NEW")
        #expect(try fill("BUY", "1", price: "99.99").status == "NEW")
    }

    @Test func marketOrderLargerThanTheBookExpiresInPart() throws {
        let (fill, status) = try fill("SELL", "10")
        #expect(fill.filled.description == "3")
        #expect(status == "EXPIRED")
    }
}
