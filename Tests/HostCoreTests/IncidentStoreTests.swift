import JSONBytes
import PluginABI
import Registry
import Testing

@testable import HostCore

@Suite struct IncidentStoreTests {
    let folder: TestHome
    let database: HostCore.Database
    init() throws {
        folder = try TestHome()
        database = try folder.database()
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
        try catalog.install(try SamplePlugin.bundle())
        try catalog.install(try SamplePlugin.bundle(name: "other", tools: ["other_echo"]))
    }

    private func incident(_ number: UInt64, of plugin: String? = "sample") -> Incident {
        var remains = Incident.Remains()
        remains.state = "running"
        remains.signal = 9
        remains.end = "killed by signal 9"
        remains.limit = "memory"
        remains.uptimeMilliseconds = number
        remains.received = ["hello", "99"]
        remains.sent = ["welcome"]
        remains.calls = ["r1"]
        remains.standardError = ["last words"]
        remains.layers = [["layer": "seccomp"]]
        return Incident(
            id: 0, time: number, plugin: plugin, version: "1.0.0", instance: "sample#\(number)", code: "plugin-failed",
            cause: "it fell", remains: remains)
    }

    @Test func whatIsStoredIsReadAgain() throws {
        let store = IncidentStore(database: database)
        var wanted = incident(7)
        wanted.id = try #require(try store.add(wanted))
        #expect(try store.incident(wanted.id) == wanted)
        #expect(try store.list(of: "sample", limit: 5) == [wanted])
        var jail = incident(8, of: nil)
        (jail.version, jail.instance, jail.remains) = (nil, nil, Incident.Remains())
        jail.id = try #require(try store.add(jail))
        let list = try store.list(limit: 5)
        #expect(list == [jail, wanted])
        let error = refusal { () throws(HostError) in try store.incident(99) }
        #expect(error?.message == "no incident has the id 99; see `nexus plugin incidents`")
    }

    @Test func theLatestOfEachPluginAreKeptAndNoIdComesTwice() throws {
        let store = IncidentStore(database: database, most: 3)
        for number in UInt64(1)...10 { _ = try store.add(incident(number)) }
        let last = try store.add(incident(11, of: "other"))
        #expect(last == 11)
        #expect(try store.list(of: "sample", limit: 99).map(\.time) == [10, 9, 8])
        #expect(try store.list(limit: 2).map(\.time) == [11, 10])
        for number in UInt64(1)...5 { _ = try store.add(incident(number, of: nil)) }
        #expect(try store.list(limit: 99).filter { $0.plugin == nil }.map(\.time) == [5, 4, 3])
    }

    @Test func incidentsGoWithTheirPlugin() throws {
        let store = IncidentStore(database: database)
        _ = try store.add(incident(1))
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
        try catalog.remove("sample")
        #expect(try store.list(limit: 9).isEmpty)
        // One whose plugin was removed while it ended is not kept for whoever comes under the name.
        #expect(try store.add(incident(2)) == nil)
        #expect(try store.list(limit: 9).isEmpty)
    }
}
