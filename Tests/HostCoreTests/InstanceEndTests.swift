import Testing

@testable import HostCore
@testable import Sandbox

@Suite struct InstanceEndTests {
    private let cause = HostError(.pluginFailed, "gone")

    @Test func theProcessTellsMoreThanTheCause() {
        let ends: [(JailEnd, InstanceEnd)] = [
            (JailEnd(exit: .exited(code: 3)), .exited), (JailEnd(exit: .signalled(9)), .signalled),
            (JailEnd(exit: .signalled(31)), .filtered), (JailEnd(exit: .lost), .lost),
            (JailEnd(exit: .signalled(9), cause: .memoryLimit(1)), .memoryLimit),
            (JailEnd(exit: .exited(code: 1), cause: .processLimit(1)), .processLimit),
            (JailEnd(exit: .signalled(25), cause: .fileLimit(1)), .fileLimit),
            (JailEnd(exit: .signalled(24), cause: .processorTime), .processorTime),
        ]
        for (end, expected) in ends {
            #expect(InstanceEnd(end, cause: cause, wasStopped: false) == expected)
            #expect(InstanceEnd(end, cause: cause, wasStopped: true) == .stopped)
        }
    }

    @Test func withoutAProcessTheCauseDecides() {
        let causes: [(HostError.Code, InstanceEnd)] = [
            (.deadlineExceeded, .unresponsive), (.pluginFailed, .protocolBroken), (.auditFailed, .host),
        ]
        for (code, expected) in causes {
            #expect(InstanceEnd(nil, cause: HostError(code, "m"), wasStopped: false) == expected)
        }
    }
}
