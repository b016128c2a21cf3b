import Testing

@testable import HostCore

@Suite struct DenialCounterTests {
    @Test func floodOfDenialsIsRecordedUpToALimitAndSaidToGoOnOnce() {
        let counter = DenialCounter()
        let verdicts = (0..<1_000).map { _ in counter.next() }
        #expect(verdicts.count { $0 == .record } == HostLimits.recordedDenials - 1)
        #expect(verdicts.count { $0 == .recordAsLast } == 1)
        #expect(verdicts.suffix(1_000 - HostLimits.recordedDenials).allSatisfy { $0 == .skip })
    }

    @Test func theLastDenialOfACallIsTheOneThatItsErrorTells() {
        let counter = DenialCounter()
        #expect(counter.last == nil)
        for what in ["first", "second"] {
            counter.keep(
                Denial(
                    plugin: "p", instance: "p#1", requestID: nil, what: what, rule: "r", reason: "x", permission: nil,
                    command: nil))
        }
        #expect(counter.last?.what == "second")
    }
}
