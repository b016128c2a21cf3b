import JSONBytes
import PluginABI
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIFormsTests {
    let host: AdminHost

    init() async throws {
        host = try await AdminHost()
        try await host.install()
    }

    @Test func anAdminOpensAFormWatchesItAndClosesIt() async throws {
        let form = await host.ask(
            "POST", "/v1/secret-forms", query: ["plugin": "sample", "name": "key", "user": "bob"])
        #expect(form.status == 200 && form.json?["user"] == "bob" && form.json?["names"] == ["key"], "\(form.text)")
        let id = try #require(form.json?["id"]?.stringValue)
        #expect(form.json?["url"]?.stringValue?.contains(id) == false, "what is asked for later opens nothing")
        let seen = await host.ask("GET", "/v1/secret-forms/\(id)")
        #expect(seen.json == ["state": "pending", "open": true], "\(seen.text)")
        #expect(await host.ask("DELETE", "/v1/secret-forms/\(id)").json == ["closed": true])
        #expect(await host.ask("GET", "/v1/secret-forms/\(id)", query: ["seconds": "60"]).json?["state"] == "closed")
        #expect(await host.ask("DELETE", "/v1/secret-forms/\(id)").json == ["closed": false])
        #expect(try host.lastEntry()?["event"] == "closed")
    }

    @Test func onlyDeclaredCredentialsOfTheRightScopeAreAskedFor() async throws {
        let wrong: [[String: String]] = [
            [:], ["plugin": "sample"], ["plugin": "sample", "name": ""], ["plugin": "sample", "name": "key,key"],
            ["plugin": "sample", "name": "other"], ["plugin": "none", "name": "key"],
            ["plugin": "sample", "name": "shared"],
            ["plugin": "sample", "name": "key,shared"], ["plugin": "sample", "name": "key", "user": "no user"],
        ]
        for query in wrong {
            #expect((400...404).contains(await host.ask("POST", "/v1/secret-forms", query: query).status), "\(query)")
        }
        let shared = await host.ask(
            "POST", "/v1/secret-forms", query: ["plugin": "sample", "name": "shared", "global": "1"])
        #expect(shared.status == 200, "\(shared.text)")
        #expect(await host.ask("GET", "/v1/secret-forms/none").status == 400)
        #expect(await host.ask("GET", "/v1/secret-forms/none", query: ["seconds": "61"]).status == 400)
    }

    @Test func aFormEndsWithItsPlugin() async throws {
        let form = await host.ask("POST", "/v1/secret-forms", query: ["plugin": "sample", "name": "key"])
        let id = try #require(form.json?["id"]?.stringValue)
        #expect(await host.ask("DELETE", "/v1/plugins/sample").status == 200)
        #expect(await host.ask("GET", "/v1/secret-forms/\(id)").json?["state"] == "closed")
    }

    @Test func strangersOpenNone() async throws {
        let query = ["plugin": "sample", "name": "key"]
        #expect(await host.ask("POST", "/v1/secret-forms", query: query, as: AdminHost.stranger).status == 403)
        #expect(await host.ask("GET", "/v1/secret-forms/1", as: AdminHost.stranger).status == 403)
    }
}
