import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct BalanceToolTests {
    @Test func onlyAssetsWithABalanceAreListedAndNothingElseOfTheAccount() throws {
        let exchange = FakeExchange()
        exchange.answer(
            "/api/v3/account",
            """
            {"uid":354937868,"canTrade":true,"balances":[{"asset":"BTC","free":"0.50000000","locked":"0.00000000"},
            {"asset":"ETH","free":"0.00000000","locked":"0.00000000"},
            {"asset":"USDT","free":"0.00000000","locked":"12.30000000"}]}
            """)
        let result = try BalanceTool.run(on: exchange.client, as: FakeExchange.account)
        #expect(
            result
                == .json([
                    "balances": [
                        ["asset": "BTC", "free": "0.50000000", "locked": "0.00000000"],
                        ["asset": "USDT", "free": "0.00000000", "locked": "12.30000000"],
                    ]
                ]))
    }

    @Test func keyAndSecretAppearInNoResultAndNoQuery() throws {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/account", "{\"balances\":[]}")
        let result = try BalanceTool.run(on: exchange.client, as: FakeExchange.account)
        for text in [result.value.text, exchange.requests[0].query ?? "", "\(exchange.requests[0])"] {
            #expect(!text.contains("the-api-key"))
            #expect(!text.contains("the-secret"))
        }
    }
}
