import Glibc
import JSONBytes
import PluginABI
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct ManifestTests {
    /// plugin.json beside the sources, wherever the package is.
    private func manifest() throws -> PluginManifest {
        let root = String(#filePath.prefix(#filePath.count - "Tests/CryptoBotTests/ManifestTests.swift".count))
        let file = try #require(fopen("\(root)Plugins/crypto-bot/plugin.json", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return try PluginManifest(parsing: bytes)
    }

    @Test func manifestIsAcceptedAndAsksForNothingButTheSpotAPI() throws {
        let manifest = try manifest()
        #expect(manifest.tools.map(\.name) == ["crypto_price", "crypto_balance", "crypto_order", "crypto_selfcheck"])
        #expect(manifest.permissions.httpFetch.map(\.paths) == [["/api/v3/"]])
        #expect(manifest.permissions.httpFetch.map(\.origin) == ["https://api.binance.com"])
    }

    @Test func thePluginNeverSeesKeyOrSecret() throws {
        let permissions = try manifest().permissions
        #expect(permissions.credentials.map(\.delivery) == [.sealed, .sealed])
        #expect(
            permissions.httpFetch[0].sealed == [
                .place(.header("X-MBX-APIKEY"), credential: "api_key", after: ""), .binance(key: "api_secret"),
            ])
    }

    @Test func toolsWithoutNeedOfTheKeyDoNotGetIt() throws {
        let needy = try manifest().tools.filter { !$0.credentials.isEmpty }.map(\.name)
        #expect(needy == ["crypto_balance", "crypto_order"])
    }

    @Test func resultsFitTheirOutputSchemas() throws {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/exchangeInfo", SymbolRulesTests.info)
        exchange.answer("/api/v3/depth", "{\"bids\":[],\"asks\":[[\"97000.00\",\"5\"]]}")
        exchange.answer("/api/v3/order/test", "{}")
        let order: JSONValue = ["symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"]
        let results: [String: JSONValue] = [
            "crypto_order": try OrderTool.run(
                order, requestID: "r", on: exchange.client, as: FakeExchange.account
            ).value,
            "crypto_selfcheck": SelfCheck.report(KernelAttempts.all()),
        ]
        for tool in try manifest().tools {
            guard let schema = tool.outputSchema, let result = results[tool.name] else { continue }
            #expect(try JSONSchema(schema).violations(in: result).isEmpty)
        }
    }
}
