import JSONBytes
import Testing

@testable import Sandbox

@Suite struct JailReportTests {
    @Test func theReportSaysWhatIsNotBounded() {
        let layers = JailReport.closing(
            JailLimits(memoryBytes: 256 << 20, processes: 4, openFiles: 16, fileBytes: 1, temporaryBytes: 4096), .none)
        let report = JailReport(layers: layers)
        #expect(report["cgroup"]?.state == .notUsed)
        #expect(report["memory"]?.detail == "256 MiB a process, 1024 MiB in all; memfd_create refused")
        #expect(report["no-such-layer"] == nil)
    }

    @Test func aJailWithoutAListenerSaysThatDenialsAreNotReported() {
        #expect(JailReport.denials(error: 0).state == .applied)
        let busy = JailReport.denials(error: 16)
        #expect(busy.state == .unavailable)
        #expect(busy.detail.hasPrefix("not reported: EBUSY"))
        #expect(JailReport.paths(shown: false, busy).detail.hasPrefix("not reported"))
        #expect(JailReport.paths(shown: false, JailReport.denials(error: 0)).state == .notUsed)
        #expect(JailReport.paths(shown: true, JailReport.denials(error: 0)).state == .applied)
        #expect(JailReport.paths(shown: true, busy).state == .unavailable)
    }

    @Test func jsonGivesTheLayersInOrder() {
        let report = JailReport(layers: [JailLayerState(name: "proc", state: .applied, detail: "own")])
        #expect(report.json.text == #"[{"layer":"proc","state":"applied","detail":"own"}]"#)
        #expect(JailLayerState.State.notUsed.rawValue == "not used")
    }

    @Test func endsReadLikeSentences() {
        #expect(JailExit.exited(code: 3).description == "exited with code 3")
        #expect(JailExit.signalled(31).description.contains("system call filter"))
        #expect(JailExit.lost.description.contains("from outside"))
    }
}
