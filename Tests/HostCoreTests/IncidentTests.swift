import JSONBytes
import Testing

@testable import HostCore
@testable import Sandbox

@Suite struct IncidentTests {
    @Test func whatTheKernelToldBecomesSignalExitCodeAndLimit() {
        let killed = Incident.Remains(JailEnd(exit: .signalled(9), cause: .memoryLimit(1 << 20)))
        #expect(killed.signal == 9 && killed.limit == "memory" && killed.exitCode == nil && !killed.isLost)
        #expect(killed.end == "killed: it exceeded its memory limit of 1 MiB")
        let left = Incident.Remains(JailEnd(exit: .exited(code: 3), cause: .processLimit(8)))
        #expect(left.exitCode == 3 && left.limit == "processes" && left.signal == nil)
        #expect(Incident.Remains(JailEnd(exit: .lost)).isLost)
        #expect(!Incident.Remains(JailEnd(exit: .lost, cause: .memoryLimit(1))).isLost)
        #expect(Incident.Remains(nil as JailEnd?) == Incident.Remains())
    }

    @Test func theJSONNamesEverythingAndNothingTwice() throws {
        let incident = Incident(
            id: 4, time: 7, plugin: "p", version: "1", instance: "p#1", code: "c", cause: "w",
            remains: Incident.Remains())
        let names = incident.json.objectValue?.members.map(\.key) ?? []
        #expect(
            Set(names) == [
                "id", "time", "plugin", "version", "instance", "code", "cause", "state", "end", "signal", "exitCode",
                "limit", "lost", "uptimeMilliseconds", "received", "sent", "calls", "standardError", "layers",
            ])
        #expect(names.count == Set(names).count)
    }
}
