import Testing

@testable import Sandbox

@Suite struct FilterProgramTests {
    private func answers(_ decisions: [Int32: CallDecision], _ call: CallData) throws -> FilterAction? {
        let program = FilterProgram.assemble(decisions, others: .refuse(errno: 38))
        return try #require(FilterEvaluator(bytes: FilterProgram.bytes(program))).answer(call)
    }

    /// More ranges than a jump of eight bits can step over.
    @Test func everyNumberOfALargeFilterGetsItsOwnAnswer() throws {
        let decisions = Dictionary(
            uniqueKeysWithValues: (Int32(0)..<600).map { ($0 * 2, CallDecision.always(.refuse(errno: $0 + 1))) })
        let program = FilterProgram.assemble(decisions, others: .allow)
        #expect(program.contains { $0.code == .jump })
        let filter = try #require(FilterEvaluator(bytes: FilterProgram.bytes(program)))
        for number in UInt32(0)..<1300 {
            let own = number % 2 == 0 && number < 1200
            let expected: FilterAction = own ? .refuse(errno: Int32(number / 2 + 1)) : .allow
            #expect(filter.answer(CallData(number: number)) == expected, "\(number)")
        }
    }

    @Test func neighboursWithTheSameAnswerShareOneRange() {
        let same = Dictionary(uniqueKeysWithValues: (Int32(10)..<90).map { ($0, CallDecision.always(.allow)) })
        #expect(FilterProgram.assemble(same, others: .refuse(errno: 38)).count == 6 + 5)
    }

    @Test func anyOfTwoConditionsSuffices() throws {
        let decisions: [Int32: CallDecision] = [
            5: .when(
                [
                    .init(argument: 0, mask: 0xFF, values: [1, 2]),
                    .init(argument: 3, mask: .max, values: [0xFFFF_FFFF]),
                ], then: .allow, otherwise: .report)
        ]
        #expect(
            try answers(decisions, CallData(number: 5, arguments: [0xF02, 0, 0, 0, 0, 0])) == .allow)
        #expect(
            try answers(decisions, CallData(number: 5, arguments: [3, 0, 0, 0xFFFF_FFFF, 0, 0])) == .allow
        )
        #expect(try answers(decisions, CallData(number: 5, arguments: [3, 0, 0, 0, 0, 0])) == .report)
        #expect(
            try answers(decisions, CallData(number: 4, arguments: [1, 0, 0, 0, 0, 0]))
                == .refuse(errno: 38))
        #expect(
            try answers(decisions, CallData(number: 6, arguments: [1, 0, 0, 0, 0, 0]))
                == .refuse(errno: 38))
    }

    @Test func numbersBelowZeroAreNoCalls() throws {
        #expect(try answers([-1: .always(.allow)], CallData(number: .max)) == .kill)
    }
}
