import Testing

@testable import Sandbox

@Suite struct FilterEvaluatorTests {
    private func run(_ program: [FilterInstruction], _ call: CallData) throws -> FilterAction? {
        try #require(FilterEvaluator(bytes: FilterProgram.bytes(program))).answer(call)
    }

    @Test func everyInstructionDoesWhatTheKernelDoes() throws {
        let call = CallData(number: 7, arguments: [0x1_0000_0005, 0, 0, 0, 0, 9])
        let allow = FilterInstruction(code: .answer, value: FilterAction.allow.value)
        let kill = FilterInstruction(code: .answer, value: FilterAction.kill.value)
        func load(_ offset: UInt32) -> FilterInstruction { .init(code: .load, value: offset) }
        #expect(
            try run([load(0), .init(code: .jumpIfEqual, ifTrue: 1, value: 7), kill, allow], call)
                == .allow)
        #expect(
            try run([load(0), .init(code: .jumpIfEqual, ifFalse: 1, value: 8), allow, kill], call)
                == .kill)
        #expect(
            try run([load(0), .init(code: .jumpIfAtLeast, ifTrue: 1, value: 7), kill, allow], call)
                == .allow)
        #expect(
            try run([load(0), .init(code: .jumpIfAtLeast, ifTrue: 1, value: 8), kill, allow], call)
                == .kill)
        #expect(
            try run([load(16), .init(code: .jumpIfEqual, ifTrue: 1, value: 5), kill, allow], call)
                == .allow)
        #expect(
            try run([load(20), .init(code: .jumpIfEqual, ifTrue: 1, value: 1), kill, allow], call)
                == .allow)
        #expect(
            try run([load(56), .init(code: .jumpIfEqual, ifTrue: 1, value: 9), kill, allow], call)
                == .allow)
        let masked = FilterInstruction(code: .and, value: 4)
        #expect(
            try run(
                [load(16), masked, .init(code: .jumpIfEqual, ifTrue: 1, value: 4), kill, allow], call)
                == .allow)
        #expect(try run([.init(code: .jump, value: 1), kill, allow], call) == .allow)
    }

    @Test func aProgramThatTheKernelWouldRefuseHasNoAnswer() throws {
        #expect(try run([], CallData(number: 0)) == nil)
        #expect(try run([.init(code: .load, value: 0)], CallData(number: 0)) == nil)
        #expect(try run([.init(code: .load, value: 2)], CallData(number: 0)) == nil)
        #expect(try run([.init(code: .load, value: 64)], CallData(number: 0)) == nil)
        #expect(try run([.init(code: .jump, value: UInt32.max)], CallData(number: 0)) == nil)
        #expect(try run([.init(code: .answer, value: 0x7FFC_0000)], CallData(number: 0)) == nil)
    }

    @Test func bytesThatAreNoFilterOfOursAreRefused() {
        #expect(FilterEvaluator(bytes: [0x20, 0, 0]) == nil)
        #expect(FilterEvaluator(bytes: [0xFF, 0xFF, 0, 0, 0, 0, 0, 0]) == nil)
    }

    @Test func anAnswerReadsBackAsItWasWritten() {
        for action in [FilterAction.allow, .refuse(errno: 1), .refuse(errno: 38), .report, .watch, .kill] {
            #expect(FilterAction(value: action.value) == action)
        }
    }
}
