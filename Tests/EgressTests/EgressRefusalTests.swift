import Testing

@testable import Egress

@Suite struct EgressRefusalTests {
    @Test func strangersTextIsCutAndPrintable() {
        #expect(EgressRefusal.printable("a\u{1B}[31mé\"") == "a?[31m???")
        #expect(EgressRefusal.printable(String(repeating: "x", count: 81)) == String(repeating: "x", count: 80) + "…")
    }

    @Test func onlyWhatTimeMayChangeIsRetryable() {
        let retryable: [EgressRefusal.Rule] = [.unreachable, .quota]
        for rule in retryable { #expect(EgressRefusal(rule, "x").isRetryable) }
        for rule in [EgressRefusal.Rule.name, .notAllowed, .address, .loopback, .request] {
            #expect(!EgressRefusal(rule, "x").isRetryable)
        }
    }
}
