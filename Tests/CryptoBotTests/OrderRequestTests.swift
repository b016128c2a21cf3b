import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct OrderRequestTests {
    private let limit: JSONValue = [
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.0010", "price": "97250.10",
    ]

    private func changed(_ name: String, _ value: JSONValue?) -> JSONValue {
        var object = limit.objectValue ?? JSONObject()
        object[name] = value
        return .object(object)
    }

    @Test func limitOrderBecomesTheExchangesParameters() throws {
        #expect(
            try OrderRequest(limit).parameters(clientOrderID: "nx-1").encoded
                == "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=97250.1&quantity=0.001"
                + "&newClientOrderId=nx-1")
    }

    @Test func marketOrderHasNeitherPriceNorTimeInForce() throws {
        let market: JSONValue = ["symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"]
        #expect(
            try OrderRequest(market).parameters(clientOrderID: "nx-1").encoded
                == "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1&newClientOrderId=nx-1")
    }

    @Test func modesOtherThanPaperAreRefused() throws {
        _ = try OrderRequest(changed("mode", "paper"))
        for mode: JSONValue in ["live", "Paper", "", true, nil] {
            let error = #expect(throws: ToolError.self) { try OrderRequest(changed("mode", mode)) }
            #expect(error?.message.contains("places none") == true)
        }
    }

    @Test(arguments: ["symbol", "side", "type", "quantity", "price"])
    func missingArgumentIsNamed(name: String) {
        let error = #expect(throws: ToolError.self) { try OrderRequest(changed(name, nil)) }
        #expect(error?.code == .invalidArguments)
        #expect(error?.message.contains("\"\(name)\"") == true)
    }

    @Test(arguments: ["0", "0.000", "-1", "1e3", "", "many"])
    func quantityIsAPositiveDecimal(text: String) {
        #expect(throws: ToolError.self) { try OrderRequest(changed("quantity", .string(text))) }
    }

    @Test func priceOfAMarketOrderIsRefused() {
        #expect(throws: ToolError.self) { try OrderRequest(changed("type", "MARKET")) }
    }
}
