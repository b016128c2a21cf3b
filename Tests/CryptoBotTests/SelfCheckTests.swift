import JSONBytes
import Testing

@testable import CryptoBotCore

@Suite struct SelfCheckTests {
    private func attempt(_ outcome: Attempt.Outcome) -> Attempt {
        Attempt(name: "try", outcome: outcome, by: "seccomp", detail: "")
    }

    @Test func oneAllowedAttemptIsEnoughToSayNo() {
        #expect(SelfCheck.report([attempt(.denied)])["allDenied"] == true)
        let report = SelfCheck.report([attempt(.denied), attempt(.allowed)])
        #expect(report["allDenied"] == false)
        #expect(report["allowed"] == 1)
        #expect(report["attempts"]?.arrayValue?.last?["outcome"] == "ALLOWED")
    }
}
