import PluginSDK
import Testing

@testable import CryptoBotCore

@Suite struct EgressAttemptsTests {
    @Test func refusalOfTheHostIsADenialInItsWords() {
        let denial = ToolError(.permissionDenied, "no rule for /sapi/")
        let attempts = EgressAttempts.all { _ throws(ToolError) in throw denial }
        #expect(attempts.map(\.outcome) == [.denied, .denied])
        #expect(attempts.allSatisfy { $0.by == "host egress policy" && $0.detail.contains("no rule for /sapi/") })
    }

    @Test func anyAnswerOfTheExchangeMeansAllowed() {
        let attempts = EgressAttempts.all { _ throws(ToolError) in HTTPResponse(status: 401) }
        #expect(attempts.map(\.outcome) == [.allowed, .allowed])
    }

    @Test func requestThatThePolicyLetPassButTheNetworkDidNotIsAllowed() {
        let attempts = EgressAttempts.all { _ throws(ToolError) in throw ToolError(.unavailable, "no route") }
        #expect(attempts.map(\.outcome) == [.allowed, .allowed])
    }
}
