import Testing

@testable import Sandbox

@Suite struct JailEndTests {
    private let limits = JailLimits(
        memoryBytes: 64 << 20, processes: 5, openFiles: 16, fileBytes: 1 << 20, temporaryBytes: 4096)

    private func end(_ exit: JailExit, memory: Int = 0, processes: Int = 0, throttled: Int = 0) -> JailEnd {
        JailEnd(
            exit, limits,
            .init(killedForMemory: memory, processesRefused: processes, throttledPeriods: throttled))
    }

    @Test func killForMemoryIsSaidWithTheLimit() {
        let expected = "killed: it exceeded its memory limit of 64 MiB"
        #expect(end(.signalled(9), memory: 1).cause == .memoryLimit(64 << 20))
        #expect("\(end(.signalled(9), memory: 1))" == expected)
        // With memory.oom.group the kernel kills init as well.
        #expect("\(end(.lost, memory: 3))" == expected)
    }

    @Test func programThatOutlivesAKilledChildIsSaidToHaveLostIt() {
        let text = "exited with code 3 after one of its processes was killed: it exceeded its memory limit of 64 MiB"
        #expect("\(end(.exited(code: 3), memory: 1))" == text)
    }

    @Test func refusedProcessesCountOnlyWhereTheProgramFailed() {
        #expect(end(.exited(code: 0), processes: 9).cause == nil)
        #expect(end(.exited(code: 1), processes: 9).cause == .processLimit(5))
        let text = "exited with code 1, after it met its limit of 5 processes and threads"
        #expect("\(end(.exited(code: 1), processes: 9))" == text)
    }

    @Test func signalsOfLimitsAreCauses() {
        #expect("\(end(.signalled(25)))" == "killed: it exceeded its limit of 1 MiB for one file")
        #expect("\(end(.signalled(24)))" == "killed: it exceeded its processor time")
    }

    @Test func endsWithoutALimitReadAsBefore() {
        for exit in [JailExit.exited(code: 0), .signalled(9), .signalled(31), .lost] {
            #expect(end(exit).cause == nil)
            #expect("\(end(exit))" == "\(exit)")
        }
        #expect(end(.exited(code: 0), throttled: 7).throttledPeriods == 7)
    }
}
