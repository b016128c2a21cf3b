import Testing

@testable import Sandbox

@Suite struct CallRecorderTests {
    private func recorder(executing: Bool = true) throws -> CallRecorder {
        let recorder = try CallRecorder(profile: .named("strict"))
        if executing { _ = recorder.record(CallData(number: 322)) }
        return recorder
    }

    @Test func everyAnswerIsThatOfTheProfilesOwnFilter() throws {
        let recorder = try recorder()
        let filter = try #require(FilterEvaluator(bytes: FilterCompiler.filter(profile: "strict", mode: .silent).bytes))
        for number in UInt32(0)..<1024 {
            for value in InterestingArguments.few {
                let call = CallData(number: number, arguments: [value, value, value, 0, 0, 0])
                let expected = filter.answer(call)
                // Nobody watches any more, and the kernel answers for whoever is not there.
                #expect(recorder.record(call) == (expected == .watch ? .refuse(errno: 38) : expected))
            }
        }
        #expect(recorder.record(CallData(number: 0, architecture: 3)) == .kill)
    }

    @Test func callsBeforeTheProgramIsExecutedAreNotItsOwn() throws {
        let recorder = try recorder(executing: false)
        _ = recorder.record(CallData(number: 1))
        #expect(recorder.seen.isEmpty)
        #expect(recorder.record(CallData(number: 322)) == .allow)
        _ = recorder.record(CallData(number: 1))
        #expect(recorder.seen.values.sorted() == [1, 1])
    }

    @Test func aProgramThatMakesUpArgumentsDoesNotFillTheHostsMemory() throws {
        let recorder = try recorder()
        for family in 0..<UInt64(CallRecorder.mostKeys + 100) {
            _ = recorder.record(CallData(number: 41, arguments: [family, 1, 0, 0, 0, 0]))
        }
        #expect(recorder.seen.count == CallRecorder.mostKeys)
    }
}
