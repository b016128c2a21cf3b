import AuditLog
import GRDB
import JSONBytes
import Registry
import Testing

@testable import HostCore

@Suite struct IncidentRecorderTests {
    let folder: TestHome
    let audit: AuditLog
    let recorder: IncidentRecorder
    let database: HostCore.Database
    init() throws {
        folder = try TestHome()
        database = try folder.database()
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

    /// As on a full disk.
    private func refuseIncidents(_ refuses: Bool) throws {
        let sql =
            refuses
            ? "CREATE TRIGGER full BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'no room'); END"
            : "DROP TRIGGER full"
        try database.write { try $0.execute(sql: sql) }
    }

    private func fall(_ number: Int) throws {
        recorder.failed(try SamplePlugin.installed(), "sample#\(number)", HostError(.pluginFailed, "it fell"))
    }

    @Test func whatCannotBeWrittenIsShownAndWrittenInItsOrderOnceItCan() throws {
        try refuseIncidents(true)
        try fall(1)
        recorder.tell([("kind", "plugin"), ("event", "stopped")])
        try fall(2)
        #expect(recorder.flush() == 3)
        #expect(try recorder.list(limit: 9).map(\.instance) == ["sample#2", "sample#1"])
        #expect(try recorder.list(of: "other", limit: 9).isEmpty && recorder.list(limit: 9).allSatisfy { $0.id == 0 })
        #expect(try audit.tail(9).isEmpty)
        try refuseIncidents(false)
        #expect(recorder.flush() == 0)
        try fall(3)
        let entries = try audit.tail(9).map { try JSONValue(parsing: $0) }
        #expect(entries.map { $0["event"]?.stringValue } == ["failed", "stopped", "failed", "failed"])
        #expect(entries.map { $0["happened"] != nil } == [true, true, true, false])
        #expect(entries.map { $0["incident"]?.stringValue } == ["1", nil, "2", "3"])
        #expect(try recorder.list(limit: 9).map(\.id) == [3, 2, 1])
    }

    @Test func whatDoesNotFitInMemoryEitherIsCounted() throws {
        try refuseIncidents(true)
        for number in 0..<HostLimits.lateRecords + 7 { try fall(number) }
        #expect(recorder.flush() == HostLimits.lateRecords)
        try refuseIncidents(false)
        #expect(recorder.flush() == 0)
        let first = try audit.tail(1_000).first.map { try JSONValue(parsing: $0) }
        #expect(first?["event"] == "records-lost" && first?["count"]?.intValue == 7)
        #expect(try recorder.store.list(limit: 1).first?.instance == "sample#\(HostLimits.lateRecords + 6)")
    }

    @Test func anIncidentOfAPluginThatWasRemovedHoldsUpNothing() throws {
        try refuseIncidents(true)
        try fall(1)
        try refuseIncidents(false)
        try database.write { try $0.execute(sql: "DELETE FROM plugin") }
        #expect(recorder.flush() == 0)
        #expect(try lastEntry()?["event"] == "failed" && lastEntry()?["incident"] == .null)
    }
}
