import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIChoicesTests {
    let host: AdminHost
    init() async throws { host = try await AdminHost() }

    @Test func aRevokedCredentialIsListedRecordedAndLentNoMore() async throws {
        try await host.install()
        for (name, query) in [("key", "user"), ("shared", "global")] {
            let query = ["plugin": "sample", "name": name, query: query == "user" ? "team/alice" : "1"]
            #expect(await host.ask("PUT", "/v1/secrets", query: query, body: "VALUE-CANARY").status == 200)
        }
        let answer = await host.ask("PUT", "/v1/plugins/sample/credentials/key", body: #"{"granted":false}"#)
        #expect(answer.status == 200 && answer.json?["granted"] == false, "\(answer.text)")
        #expect(try host.lastEntry()?["event"] == "credential-revoked")
        let grants = await host.ask("GET", "/v1/grants")
        #expect(
            grants.json?["grants"]?.arrayValue?.first == [
                "plugin": "sample", "name": "key", "scope": "user", "granted": false, "tools": ["sample_echo"],
                "users": ["team/alice"],
            ], "\(grants.text)")
        #expect(!grants.text.contains("VALUE-CANARY"))
        let call = await host.ask("POST", "/v1/tools/sample_echo/call", body: #"{"n":1}"#)
        #expect(call.code == "forbidden")
        #expect(call.message?.contains("nexus secret grants sample --grant key") == true, "\(call.text)")
        #expect(
            await host.ask("PUT", "/v1/plugins/sample/credentials/key", body: #"{"granted":true}"#).status == 200)
        #expect(try host.lastEntry()?["event"] == "credential-granted")
        let missing = await host.ask("POST", "/v1/tools/sample_echo/call", body: #"{"n":1}"#)
        #expect(missing.code == "credential-missing", "\(missing.text)")
    }

    @Test func weakenedIsolationIsShownAndRecorded() async throws {
        try await host.install()
        let before = await host.ask("GET", "/v1/plugins/sample")
        #expect(before.json?["isolation"] == "per-user" && before.json?["isolationForcedBy"] == ["key"])
        let body = #"{"weakeningSharedUsers":true}"#
        let answer = await host.ask("PUT", "/v1/plugins/sample/isolation", body: body)
        #expect(answer.json?["isolation"] == "shared" && answer.json?["weakeningSharedUsers"] == true)
        let entry = try host.lastEntry()
        #expect(entry?["event"] == "isolation-changed" && entry?["weakeningSharedUsers"] == true)
    }

    @Test(arguments: ["", "{}", #"{"granted":1}"#, #"{"granted":"true"}"#, #"{"grant":true}"#])
    func aWishThatIsNotUnderstoodChangesNothing(body: String) async throws {
        try await host.install()
        let answer = await host.ask("PUT", "/v1/plugins/sample/credentials/key", body: body)
        #expect(answer.status == 400 && answer.code == "invalid-request", "\(answer.text)")
        #expect(await host.ask("PUT", "/v1/plugins/sample/isolation", body: body).status == 400)
        #expect(try host.api.catalog.plugin("sample").choices == PluginChoices())
    }

    @Test func onlyAdministratorsDecide() async throws {
        try await host.install()
        for (method, path) in [
            ("GET", "/v1/grants"), ("PUT", "/v1/plugins/sample/credentials/key"),
            ("PUT", "/v1/plugins/sample/isolation"),
        ] {
            #expect(await host.ask(method, path, body: "{}", as: AdminHost.stranger).status == 403)
        }
    }
}
