import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIImportTests {
    @Test func whatIsThereStaysAndWhatIsNewIsStoredAndRecorded() async throws {
        let host = try await AdminHost()
        try await host.install()
        let query = ["plugin": "sample", "name": "key", "user": "bob"]
        let first = await host.ask("POST", "/v1/secrets/import", query: query, body: "value-1")
        #expect(first.json == ["name": "key", "changed": true], "\(first.text)")
        let entry = try host.lastEntry()
        #expect(entry?["event"] == "secret-set")
        let again = await host.ask("POST", "/v1/secrets/import", query: query, body: "value-1")
        #expect(again.json == ["name": "key", "changed": false])
        #expect(try host.lastEntry() == entry, "nothing was done")
        let other = await host.ask("POST", "/v1/secrets/import", query: query, body: "value-2")
        #expect(other.json == ["name": "key", "changed": true])
        let wrong = await host.ask("POST", "/v1/secrets/import", query: ["plugin": "sample", "name": "x"], body: "v")
        #expect(wrong.status == 400)
        let stranger = await host.ask(
            "POST", "/v1/secrets/import", query: query, body: "v", as: AdminHost.stranger)
        #expect(stranger.status == 403)
    }
}
