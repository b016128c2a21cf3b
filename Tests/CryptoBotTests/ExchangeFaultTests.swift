import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct ExchangeFaultTests {
    private func error(
        _ status: Int, _ body: String, headers: [String: String] = [:], isWrite: Bool = false
    ) -> ToolError {
        let response = HTTPResponse(status: status, headers: headers, body: Array(body.utf8))
        return ExchangeFault(response).toolError(isWrite: isWrite)
    }

    @Test(arguments: [
        (400, -1121, "Invalid symbol.", "invalid-arguments", false),
        (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "invalid-arguments", false),
        (400, -1111, "Parameter 'quantity' has too much precision.", "invalid-arguments", false),
        (400, -1021, "Timestamp for this request is outside of the recvWindow.", "crypto-bot.clock-skew", true),
        (400, -1022, "Signature for this request is not valid.", "crypto-bot.credential-refused", false),
        (401, -2014, "API-key format invalid.", "crypto-bot.credential-refused", false),
        (401, -2015, "Invalid API-key, IP, or permissions for action.", "crypto-bot.credential-refused", false),
        (400, -2010, "Account has insufficient balance for requested action.", "crypto-bot.order-refused", false),
        (429, -1003, "Too much request weight used.", "crypto-bot.rate-limited", true),
        (429, -1015, "Too many new orders.", "crypto-bot.rate-limited", true),
        (400, -1008, "Server is currently overloaded.", "unavailable", true),
        (400, -2013, "Order does not exist.", "crypto-bot.exchange-refused", false),
    ])
    func refusalKeepsTheExchangesWordsAndSaysWhatKindItIs(
        status: Int, code: Int, message: String, expected: String, retryable: Bool
    ) {
        let error = error(status, "{\"code\":\(code),\"msg\":\"\(message)\"}")
        #expect(error.code.rawValue == expected)
        #expect(error.message.contains("\(code): \(message)"))
        #expect(error.retryable == retryable)
    }

    @Test func refusedKeyNamesTheCommandThatStoresANewOne() {
        let error = error(401, "{\"code\":-2015,\"msg\":\"Invalid API-key, IP, or permissions for action.\"}")
        #expect(error.message.contains("nexus secret set crypto-bot api_key"))
    }

    @Test func pauseThatTheExchangeAsksForIsPassedOn() {
        let body = "{\"code\":-1003,\"msg\":\"Too much request weight used.\"}"
        #expect(error(429, body, headers: ["retry-after": "7"]).message.contains("for 7 seconds"))
        #expect(error(418, body, headers: ["retry-after": "900"]).message.contains("banned this address"))
    }

    @Test func serverErrorOfAWriteIsUnknownAndNotRetryable() {
        for error in [
            error(502, "<html>bad gateway</html>", isWrite: true),
            error(400, "{\"code\":-1007,\"msg\":\"Timeout\"}", isWrite: true),
        ] {
            #expect(error.code == .outcomeUnknown)
            #expect(!error.retryable)
        }
    }

    @Test func serverErrorOfAReadMayBeTriedAgain() {
        let error = error(503, "")
        #expect(error.code == .unavailable)
        #expect(error.retryable)
    }

    @Test func endlessMessageIsCut() {
        let error = error(400, "{\"code\":-9999,\"msg\":\"\(String(repeating: "x", count: 10_000))\"}")
        #expect(error.message.count < 400)
    }
}
