import AuditLog
import JSONBytes
import Registry
import Testing

@testable import HostCore

@Suite struct IncidentRecorderTests {
    let folder: TestHome
    let audit: AuditLog
    let recorder: IncidentRecorder
    init() throws {
        folder = try TestHome()
        let database = try folder.database()
        try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
            .install(try SamplePlugin.bundle())
        audit = try AuditLog(directory: folder.home.audit)
        recorder = IncidentRecorder(store: IncidentStore(database: database), audit: audit, now: { 7 })
    }

    private func lastEntry() throws -> JSONValue? { try audit.tail(1).first.map { try JSONValue(parsing: $0) } }

    @Test func aDeathIsStoredWithWhatItLeftAndTheLogNamesIt() throws {
        var remains = Incident.Remains()
        remains.signal = 9
        recorder.left("sample#1", remains)
        recorder.left("sample#2", Incident.Remains())
        let cause = HostError(.pluginFailed, "it fell")
        #expect(recorder.failed(try SamplePlugin.installed(), "sample#1", cause).remains == remains)
        let stored = try #require(try recorder.store.list(limit: 9).first)
        #expect(stored.remains.signal == 9 && stored.time == 7 && stored.instance == "sample#1")
        #expect(try lastEntry()?["incident"] == .string("\(stored.id)"))
        #expect(try lastEntry()?["event"] == "failed")
        // What it left is taken once.
        #expect(recorder.failed(try SamplePlugin.installed(), "sample#1", cause).remains == nil)
    }

    @Test func whatNobodyAsksForMakesRoomForLaterOnes() throws {
        for number in 0..<100 { recorder.left("sample#\(number)", Incident.Remains()) }
        let cause = HostError(.pluginFailed, "it fell")
        #expect(recorder.failed(try SamplePlugin.installed(), "sample#0", cause).remains == nil)
        #expect(recorder.failed(try SamplePlugin.installed(), "sample#99", cause).remains != nil)
    }

    @Test func aLostLauncherIsAnIncidentOfNoPlugin() throws {
        recorder.lostLauncher("killed by signal 9")
        let stored = try #require(try recorder.store.list(limit: 9).first)
        #expect(stored.plugin == nil && stored.cause.hasPrefix("nexus-jail ended (killed by signal 9)"))
        #expect(try lastEntry()?["event"] == "launcher-lost")
    }
}
