import CJail
import Glibc
import Testing

@testable import Sandbox

@Suite struct JailProgressTests {
    private func record(
        _ kind: jail_report_kind, value: Int32 = 0, error: Int32 = 0, status: Int32 = 0, layer: String = ""
    ) -> ReportRecord {
        ReportRecord(kind: kind.rawValue, error: error, value: value, status: status, layer: layer, detail: "")
    }

    private func running() -> JailProgress {
        var progress = JailProgress(name: "p", limits: .standard)
        _ = progress.received(record(JAIL_REPORT_LAUNCHED, value: 77))
        _ = progress.received(record(JAIL_REPORT_APPLIED, layer: "namespaces"))
        _ = progress.received(record(JAIL_REPORT_UNAVAILABLE, error: 6, layer: "speculation"))
        return progress
    }

    @Test func readyGivesTheReportWithWhatIsMissing() throws {
        var progress = running()
        let actions = progress.received(record(JAIL_REPORT_READY))
        guard case .started(.success(let report))? = actions.first else {
            Issue.record("no report")
            return
        }
        #expect(report["namespaces"]?.state == .applied)
        #expect(report["speculation"]?.state == .unavailable)
        #expect(report["cgroup"]?.state == .notUsed)
        #expect(report["memory"]?.state == .partial)
        #expect(progress.processID == 77)
    }

    @Test func aFailedLayerIsNamedWithItsErrno() {
        var progress = running()
        let actions = progress.received(record(JAIL_REPORT_FAILED, error: 1, layer: "proc"))
        guard case .started(.failure(let error))? = actions.first else {
            Issue.record("no failure")
            return
        }
        #expect(error.layer == "proc")
        #expect(error.errno == 1)
        #expect(error.message.contains("layer proc could not be applied: EPERM"))
    }

    @Test func aLauncherThatDiedWhileTheJailWasMadeIsNoFailedLayer() {
        var progress = running()
        let actions = progress.received(record(JAIL_REPORT_FAILED, error: ESRCH, layer: "identity"))
        guard case .started(.failure(let error))? = actions.first else {
            Issue.record("no failure")
            return
        }
        #expect(error.code == .launcher)
        #expect(error.message.contains("is being started again; try again"))
    }

    @Test func aJailThatWaitsHasItsReportAndStartsLater() throws {
        var progress = running()
        guard case .waiting(let report)? = progress.received(record(JAIL_REPORT_WAITING)).first else {
            Issue.record("does not wait")
            return
        }
        #expect(report["namespaces"]?.state == .applied && report["exec"] == nil)
        guard case .started(.success(let started))? = progress.received(record(JAIL_REPORT_READY)).first else {
            Issue.record("not started")
            return
        }
        #expect(started["exec"]?.state == .applied)
    }

    @Test func aWaitingJailThatEndsOrCannotExecHasFailed() {
        for step in 0..<2 {
            var progress = running()
            _ = progress.received(record(JAIL_REPORT_WAITING))
            let actions =
                step == 0 ? progress.ended() : progress.received(record(JAIL_REPORT_FAILED, error: 2, layer: "exec"))
            guard case .started(.failure)? = actions.first else {
                Issue.record("did not fail")
                return
            }
            #expect(actions.last == .exited(JailEnd(exit: .lost)))
        }
    }

    @Test func anEndWithoutAReportIsLost() {
        var progress = running()
        _ = progress.received(record(JAIL_REPORT_READY))
        #expect(progress.ended() == [.exited(JailEnd(exit: .lost))])
        #expect(progress.ended() == [])
    }

    @Test func exitCodesAndSignalsAreToldApart() {
        for (status, expected) in [(Int32(1), JailExit.exited(code: 9)), (2, .signalled(9)), (3, .signalled(9))] {
            var progress = running()
            _ = progress.received(record(JAIL_REPORT_READY))
            #expect(progress.received(record(JAIL_REPORT_EXITED, value: 9, status: status)) == [])
            #expect(progress.isEnding)
            #expect(progress.received(record(JAIL_REPORT_ENDED)) == [.exited(JailEnd(exit: expected))])
            #expect(progress.received(record(JAIL_REPORT_ENDED)) == [])
        }
    }

    @Test func startThatRunsOutOfMemorySaysSo() {
        var progress = running()
        #expect(
            progress.received(record(JAIL_REPORT_ENDED)) == [], "how it ended is said by the record that is missing")
        guard case .started(.failure(let error))? = progress.received(record(JAIL_REPORT_ENDED, value: 1)).first else {
            Issue.record("no failure")
            return
        }
        #expect(error.layer == "cgroup" && error.message.contains("more memory than the limit of 512 MiB"))
    }

    @Test func launchersLastWordSaysWhichLimitWasMet() {
        var progress = running()
        _ = progress.received(record(JAIL_REPORT_READY))
        _ = progress.received(record(JAIL_REPORT_EXITED, value: 9, status: 2))
        let end = JailEnd(exit: .signalled(9), cause: .memoryLimit(512 << 20), throttledPeriods: 4)
        #expect(progress.received(record(JAIL_REPORT_ENDED, value: 1, status: 4)) == [.exited(end)])
    }

    @Test func hostThatHearsNoLastWordStillHasTheExit() {
        var progress = running()
        _ = progress.received(record(JAIL_REPORT_READY))
        _ = progress.received(record(JAIL_REPORT_EXITED, value: 3, status: 1))
        #expect(progress.ended() == [.exited(JailEnd(exit: .exited(code: 3)))])
    }

    @Test func recordsOutOfPlaceChangeNothing() {
        var progress = running()
        #expect(progress.received(record(JAIL_REPORT_EXITED)) == [])
        #expect(progress.received(ReportRecord(kind: 99)) == [])
    }

    @Test func aStartThatEndsSilentlySaysHowFarItCame() {
        var progress = running()
        guard case .started(.failure(let error))? = progress.ended().first else {
            Issue.record("no failure")
            return
        }
        #expect(error.message.contains("after layer speculation"))
    }

    @Test func bytesThatAreNotARecordAreNoRecord() {
        #expect(ReportRecord([]) == nil)
        #expect(ReportRecord([UInt8](repeating: 0, count: ReportRecord.size)) == nil)
        #expect(ReportRecord([UInt8](repeating: 0, count: ReportRecord.size + 1)) == nil)
    }
}
