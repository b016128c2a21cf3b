import PluginABI
import Testing

@Suite struct LifecycleStateTests {
    @Test func onlyTwoStatesAreFinal() {
        #expect(LifecycleState.allCases.filter(\.isFinal) == [.disposed, .failed])
    }

    @Test func whereThePluginMustSpeakThereIsADeadline() {
        let awaiting: [LifecycleState] = [.created, .initializing, .starting, .stopping, .disposing]
        for state in LifecycleState.allCases {
            #expect((state.deadlineMilliseconds != nil) == awaiting.contains(state))
        }
    }
}
