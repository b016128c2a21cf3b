import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIIncidentsTests {
    let host: AdminHost
    init() async throws { host = try await AdminHost() }

    private func add(_ plugin: String?, _ time: UInt64) throws -> Int64 {
        try #require(
            try host.api.incidents.store.add(
                Incident(
                    id: 0, time: time, plugin: plugin, version: nil, instance: nil, code: "plugin-failed",
                    cause: "it fell", remains: Incident.Remains())))
    }

    @Test func incidentsAreListedForAllOrOnePluginAndShownWhole() async throws {
        try await host.install()
        let (first, second) = (try add("sample", 1), try add(nil, 2))
        let all = await host.ask("GET", "/v1/incidents")
        #expect(all.json?["incidents"]?.arrayValue?.compactMap { $0["id"]?.intValue } == [Int(second), Int(first)])
        let one = await host.ask("GET", "/v1/incidents", query: ["plugin": "sample", "limit": "5"])
        #expect(one.json?["incidents"]?.arrayValue?.count == 1)
        #expect(one.json?["incidents"]?.arrayValue?.first?["layers"] == nil, "a list has not the whole of each")
        let shown = await host.ask("GET", "/v1/incidents/\(first)")
        #expect(shown.json?["cause"] == "it fell" && shown.json?["layers"] == .null)
    }

    @Test func whatIsNotThereIsRefusedInWords() async throws {
        #expect(await host.ask("GET", "/v1/incidents", query: ["plugin": "nobody"]).status == 404)
        for limit in ["0", "-1", "1001", "x", ""] {
            #expect(await host.ask("GET", "/v1/incidents", query: ["limit": limit]).code == "invalid-request")
        }
        for id in ["7", "x", "99999999999999999999"] {
            #expect(await host.ask("GET", "/v1/incidents/\(id)").code == "invalid-request", "\(id)")
        }
        #expect(await host.ask("GET", "/v1/incidents", as: AdminHost.stranger).status == 403)
    }
}
