import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct OrderBookTests {
    @Test(arguments: [
        "{}", "{\"bids\":[]}", "{\"bids\":[[\"1\"]],\"asks\":[]}", "{\"bids\":[[1,2]],\"asks\":[]}",
        "{\"bids\":[[\"1\",\"x\"]],\"asks\":[]}",
    ])
    func depthOfAnotherShapeIsRefused(text: String) throws {
        let depth = try JSONValue(parsing: text)
        #expect(throws: ToolError.self) { try OrderBook(depth: depth) }
    }
}
