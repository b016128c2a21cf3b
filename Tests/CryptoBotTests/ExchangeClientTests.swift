import JSONBytes
import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct ExchangeClientTests {
    private static let skew = "{\"code\":-1021,\"msg\":\"Timestamp for this request is outside of the recvWindow.\"}"

    private func parameter(_ name: String, _ request: HTTPRequest) -> String? {
        let pair = request.query?.split(separator: "&").first { $0.hasPrefix("\(name)=") }
        return pair.map { String($0.dropFirst(name.count + 1)) }
    }

    @Test func publicRequestCarriesNoKey() throws {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/ticker/price", "{}")
        _ = try exchange.client.get("/api/v3/ticker/price", FormQuery([("symbol", "BTCUSDT")]))
        #expect(exchange.requests[0].headers.isEmpty)
        #expect(exchange.requests[0].query == "symbol=BTCUSDT")
    }

    @Test func withSealedCredentialsTheHostSigns() throws {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/account", "{}")
        _ = try exchange.client.signed("GET", "/api/v3/account", FormQuery([("a", "1")]), as: FakeExchange.sealed)
        #expect(exchange.requests[0].query == "a=1&recvWindow=5000&timestamp=1700000000000")
        #expect(exchange.requests[0].sealed == ["api_key", "api_secret"])
        #expect(exchange.requests[0].headers.isEmpty)
    }

    @Test func signatureIsLastAndCoversWhatComesBeforeIt() throws {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/account", "{}")
        _ = try exchange.client.signed("GET", "/api/v3/account", FormQuery([("a", "1")]), as: FakeExchange.account)
        let signed = "a=1&recvWindow=5000&timestamp=1700000000000"
        let signature = FakeExchange.signer().signature(query: signed)
        #expect(exchange.requests[0].query == "\(signed)&signature=\(signature)")
        guard case .credential("api_key", "") = exchange.requests[0].headers[0].value else {
            Issue.record("the key travels as plain text")
            return
        }
    }

    @Test func clockSkewIsSynchronisedOnceAndTheRequestSentAgain() throws {
        let exchange = FakeExchange(now: 1_000_000)
        exchange.answer("/api/v3/account", status: 400, Self.skew)
        exchange.answer("/api/v3/time", "{\"serverTime\":1070000}")
        exchange.answer("/api/v3/account", "{\"ok\":true}")
        let answer = try exchange.client.signed("GET", "/api/v3/account", FormQuery(), as: FakeExchange.account)
        #expect(answer == ["ok": true])
        #expect(exchange.requests.map { parameter("timestamp", $0) } == ["1000000", nil, "1070000"])
    }

    @Test func clockSkewThatStaysIsReportedAfterOneSynchronisation() {
        let exchange = FakeExchange()
        for _ in 0..<3 {
            exchange.answer("/api/v3/account", status: 400, Self.skew)
            exchange.answer("/api/v3/time", "{\"serverTime\":1070000}")
        }
        let error = #expect(throws: ToolError.self) {
            try exchange.client.signed("GET", "/api/v3/account", FormQuery(), as: FakeExchange.account)
        }
        #expect(error?.code == .clockSkew)
        #expect(exchange.requests.count == 3)
    }

    @Test(arguments: [502, 504])
    func writeThatMayHaveArrivedIsNeverSentAgain(status: Int) {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/order", status: status, "")
        let error = #expect(throws: ToolError.self) {
            try exchange.client.signed("POST", "/api/v3/order", FormQuery(), as: FakeExchange.account)
        }
        #expect(error?.code == .outcomeUnknown)
        #expect(exchange.requests.count == 1)
    }

    @Test func writeWithoutAnAnswerIsNeverSentAgain() {
        let exchange = FakeExchange()
        exchange.fail("/api/v3/order", ToolError(.deadlineExceeded, "no answer in 10 s"))
        let error = #expect(throws: ToolError.self) {
            try exchange.client.signed("POST", "/api/v3/order", FormQuery(), as: FakeExchange.account)
        }
        #expect(error?.code == .outcomeUnknown)
        #expect(exchange.requests.count == 1)
    }

    @Test func refusalOfTheHostIsPassedOnAsItIs() {
        let exchange = FakeExchange()
        let denial = ToolError(.permissionDenied, "no rule allows DELETE")
        exchange.fail("/api/v3/order", denial)
        #expect(throws: denial) {
            try exchange.client.signed("POST", "/api/v3/order", FormQuery(), as: FakeExchange.account)
        }
    }

    @Test func answerThatIsNoJSONIsNamedAsSuch() {
        let exchange = FakeExchange()
        exchange.answer("/api/v3/time", "<html>")
        let error = #expect(throws: ToolError.self) { try exchange.client.get("/api/v3/time") }
        #expect(error?.message.contains("not JSON") == true)
    }
}
