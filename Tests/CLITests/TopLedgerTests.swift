import JSONBytes
import Testing

@testable import nexus

@Suite struct TopLedgerTests {
    private func ledger(calls: Int, denials: Int = 0, failures: Int = 0) -> JSONValue {
        [
            "instances": [
                [
                    "instance": "echo#1", "state": "running", "processID": 7, "jail": "strict", "memoryBytes": 2_048,
                    "calls": JSONValue(calls), "denials": JSONValue(denials), "failures": JSONValue(failures),
                ]
            ]
        ]
    }

    @Test func ratesAndTroubleComeFromTheLedgerBefore() {
        let first = TopLedger(ledger(calls: 10, denials: 3, failures: 2))
        #expect(first.callsPerSecond == nil && first.rows.map(\.isInTrouble) == [false])
        let second = TopLedger(ledger(calls: 30, denials: 3, failures: 2), before: first, seconds: 2)
        #expect(second.callsPerSecond == 10 && second.rows.map(\.isInTrouble) == [false])
        let third = TopLedger(ledger(calls: 31, denials: 4, failures: 2), before: second, seconds: 2)
        #expect(third.rows.map(\.isInTrouble) == [true])
        // An instance of the same name that began anew has no negative rate.
        #expect(TopLedger(ledger(calls: 0), before: third, seconds: 1).callsPerSecond == 0)
    }

    @Test func anAnswerWithoutMembersIsShownAsUnknown() {
        let row = TopLedger(["instances": [[:]]]).rows[0]
        #expect(row.instance == "–" && row.memory == nil && row.median == nil && row.calls == 0)
        #expect(TopLedger([:]).rows.isEmpty)
    }

    @Test func numbersTakeAtMostFiveCharacters() {
        for value in [0, 7, 999, 1_000, 9_999, 99_999, 100_000, 999_999, 1_500_000, 99_499_999, 2_000_000_000] {
            #expect(TopNumber.count(value).count <= 5, "\(value): \(TopNumber.count(value))")
            #expect(TopNumber.bytes(value).count <= 5, "\(value): \(TopNumber.bytes(value))")
            #expect(TopNumber.microseconds(value).count <= 6, "\(value): \(TopNumber.microseconds(value))")
        }
        #expect(TopNumber.count(99_999) == "99999" && TopNumber.count(1_500_000) == "1.5M")
        #expect(TopNumber.bytes(1_536) == "1.5K" && TopNumber.bytes(nil) == "unknown")
        #expect(TopNumber.microseconds(950) == "950µs" && TopNumber.microseconds(1_250) == "1.3ms")
        #expect(TopNumber.microseconds(60_000_000) == "60s" && TopNumber.microseconds(nil) == "–")
        #expect(TopNumber.rate(0.5) == "0.5" && TopNumber.rate(120) == "120" && TopNumber.rate(nil) == "–")
    }
}
