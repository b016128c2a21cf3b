import Foundation
import JSONBytes
import PluginABI
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPISecretsTests {
    let host: AdminHost
    init() async throws { host = try await AdminHost() }

    @Test func aSecretIsStoredForTheUserThatTheAdministratorNames() async throws {
        try await host.install()
        let query = ["plugin": "sample", "name": "key", "user": "team/alice"]
        #expect(await host.ask("PUT", "/v1/secrets", query: query, body: "VALUE-CANARY").status == 200)
        let list = await host.ask("GET", "/v1/secrets")
        #expect(list.json?["secrets"]?.arrayValue?.first?["user"] == "team/alice")
        #expect(!list.text.contains("VALUE-CANARY"))
        let log = try Data(contentsOf: URL(fileURLWithPath: "\(host.home.audit)/log.jsonl"))
        #expect(log.range(of: Data("VALUE-CANARY".utf8)) == nil)
        #expect(try host.lastEntry()?["event"] == "secret-set")
        #expect(await host.ask("DELETE", "/v1/secrets", query: query).status == 200)
        let again = await host.ask("DELETE", "/v1/secrets", query: query)
        #expect(again.message == "there is no such secret: key of team/alice for sample; see `nexus secret list`")
    }

    @Test func secretsThatNobodyDeclaredAreRefusedInWords() async throws {
        try await host.install()
        let cases: [([String: String], String)] = [
            ([:], "plugin and name are needed"),
            (["plugin": "nope", "name": "key"], "no plugin is called \"nope\"; see `nexus plugin list`"),
            (["plugin": "sample", "name": "x"], "sample declares no credential \"x\" (declared: key, shared)"),
            (["plugin": "sample", "name": "shared"], "shared is a global credential; add --global"),
            (["plugin": "sample", "name": "key", "user": "a/b/c"], "\"a/b/c\" is not a user: \(UserName.rule)"),
            (["plugin": "sample", "name": "key", "user": ""], "\"\" is not a user: \(UserName.rule)"),
            (["plugin": "sample", "name": "key", "user": "a\0"], "\"a\0\" is not a user: \(UserName.rule)"),
        ]
        for (query, message) in cases {
            let answer = await host.ask("PUT", "/v1/secrets", query: query, body: "value")
            #expect(answer.message == message)
        }
        let empty = await host.ask("PUT", "/v1/secrets", query: ["plugin": "sample", "name": "key"])
        #expect(empty.message == "a secret has 1 to 16384 bytes; key has 0")
        #expect(try host.api.secrets.list().isEmpty)
    }

    @Test func versionsAreShownRotatedAndRolledBackWithoutTheirValues() async throws {
        try await host.install()
        let query = ["plugin": "sample", "name": "key", "user": "alice"]
        let missing = await host.ask("PUT", "/v1/secrets", query: query.merging(["existing": "1"]) { $1 }, body: "x")
        #expect(missing.message == "there is no such secret: key of alice for sample; see `nexus secret list`")
        _ = await host.ask("PUT", "/v1/secrets", query: query, body: "CANARY-one")
        let rotated = await host.ask(
            "PUT", "/v1/secrets", query: query.merging(["existing": "1", "expires": "4000000000"]) { $1 },
            body: "CANARY-two")
        #expect(rotated.status == 200)
        #expect(try host.lastEntry()?["event"] == "secret-rotated")
        let back = await host.ask("POST", "/v1/secrets/rollback", query: query.merging(["version": "1"]) { $1 })
        #expect(back.json?["version"] == 3)
        let shown = await host.ask("GET", "/v1/secrets/versions", query: query)
        let versions = try #require(shown.json?["versions"]?.arrayValue)
        #expect(versions.compactMap { $0["version"]?.intValue } == [3, 2, 1])
        #expect(versions[1]["expires"] == 4_000_000_000 && versions[0]["expires"] == .null)
        #expect(!shown.text.contains("CANARY"))
        let odd = await host.ask("PUT", "/v1/secrets", query: query.merging(["expires": "soon"]) { $1 }, body: "x")
        #expect(odd.message == "expires is a time in Unix seconds, not \"soon\"")
    }

    @Test func theMasterKeyIsRotatedAndNothingIsLeftToAccept() async throws {
        try await host.install()
        _ = await host.ask("PUT", "/v1/secrets", query: ["plugin": "sample", "name": "key"], body: "value")
        let answer = await host.ask("POST", "/v1/secrets/rotate-master")
        #expect(answer.json?["versions"] == 1)
        #expect(try host.lastEntry()?["event"] == "master-rotated")
        let refused = await host.ask("POST", "/v1/secrets/rotate-master", body: "a key of my own")
        #expect(refused.message == "the host makes the next key itself; give none")
        #expect(await host.ask("POST", "/v1/secrets/accept").json?["accepted"] == .null)
        for path in ["rotate-master", "accept", "rollback"] {
            #expect(await host.ask("POST", "/v1/secrets/\(path)", as: AdminHost.stranger).status == 403)
        }
    }

    @Test func theSecretsOfARemovedPluginGoWithIt() async throws {
        try await host.install()
        _ = await host.ask("PUT", "/v1/secrets", query: ["plugin": "sample", "name": "key"], body: "value")
        #expect(await host.ask("DELETE", "/v1/plugins/sample").status == 200)
        #expect(try host.api.secrets.list().isEmpty)
        #expect(await host.ask("DELETE", "/v1/plugins/sample").status == 404)
    }
}
