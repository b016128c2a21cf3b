import Foundation
import JSONBytes
import PluginABI
import Synchronization
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIHostTests {
    let host: AdminHost
    init() async throws { host = try await AdminHost() }

    @Test func shutdownIsRecordedBeforeItIsDone() async throws {
        let answer = await host.ask("POST", "/v1/shutdown")
        #expect(answer.status == 200 && answer.json?["stopping"] == true)
        #expect(host.stops.withLock { $0 } == 1)
        #expect(try host.lastEntry()?["event"] == "shutdown")
    }

    @Test func aReloadSaysWhatChangedOrWhatIsWrong() async throws {
        try await host.install()
        let file = URL(fileURLWithPath: host.home.configuration)
        let write = { (text: String) in
            try Data(text.utf8).write(to: file)
            chmod(file.path, 0o600)
        }
        _ = try write(#"{"plugins":{"sample":{"queued":2},"other":{"warm":1}}}"#)
        let answer = await host.ask("POST", "/v1/reload")
        #expect(
            answer.json == [
                "changed": ["other", "sample"], "unchanged": 0, "budgetChanged": false, "notInstalled": ["other"],
            ], "\(answer.text)")
        let entry = try host.lastEntry()
        #expect(entry?["event"] == "configuration" && entry?["changed"] == ["other", "sample"])
        _ = try write("{")
        let refused = await host.ask("POST", "/v1/reload")
        #expect(refused.status == 400 && refused.code == "invalid-configuration", "\(refused.text)")
        #expect(await host.ask("POST", "/v1/reload", as: AdminHost.stranger).status == 403)
    }

    // MARK: tokens

    @Test func aTokenIsShownOnceAndListedWithoutItself() async throws {
        let answer = await host.ask("POST", "/v1/tokens", body: #"{"user":"agent","mayActFor":"team","seconds":60}"#)
        let bearer = try #require(answer.json?["token"]?.stringValue)
        let record = try host.api.tokens.find(bearer)
        #expect(record.user == "agent" && record.mayActFor == "team" && record.expires == record.created + 60)
        #expect(!(await host.ask("GET", "/v1/tokens")).text.contains(bearer))
        #expect(try host.lastEntry()?["event"] == "token-created")
        #expect(try host.lastEntry()?.text.contains(bearer) == false)
        #expect(await host.ask("DELETE", "/v1/tokens/\(record.id)").status == 200)
        #expect(refusal(host, bearer))
    }

    private func refusal(_ host: AdminHost, _ bearer: String) -> Bool { (try? host.api.tokens.find(bearer)) == nil }

    /// A wish that is misspelt or mistyped must not make a token that lives for ever or may do more.
    @Test(arguments: [
        "", "[]", "{}", "null", #"{"user":1}"#, #"{"user":"a","seconds":"3600"}"#, #"{"user":"a","seconds":1.5}"#,
        #"{"user":"a","seconds":1e30}"#, #"{"user":"a","seconds":true}"#, #"{"user":"a","expires":3600}"#,
        #"{"user":"a","mayActFor":1}"#, #"{"user":"a","mayactfor":"team"}"#, #"{"user":"a","user":"b"}"#,
        #"{"user":"a/b"}"#, #"{"user":"a","mayActFor":"x/y"}"#, #"{"user":"a","seconds":0}"#,
        #"{"user":"a","seconds":-1}"#,
    ])
    func tokenWishesThatAreNotUnderstoodMakeNoToken(body: String) async throws {
        let answer = await host.ask("POST", "/v1/tokens", body: body)
        #expect(answer.status == 400 && answer.code == "invalid-request", "\(body): \(answer.text)")
        #expect(try host.api.tokens.list().isEmpty)
    }

    @Test func absentOrNullWishesOfATokenAreTheStandard() async throws {
        let answer = await host.ask("POST", "/v1/tokens", body: #"{"user":"a","mayActFor":null,"seconds":null}"#)
        #expect(answer.status == 200)
        #expect(try host.api.tokens.list().map(\.expires) == [nil])
    }

    // MARK: tools

    @Test func callsThatCannotBeMadeSayWhatToDoAndAreOnRecord() async throws {
        try await host.install()
        let cases = [
            ("nope", "{}", 404, "no tool is called \"nope\"; see `nexus tool list`"),
            ("sample_echo", "{", 400, "the arguments of sample_echo are not valid JSON: "),
            ("sample_echo", "[]", 400, "the arguments do not fit sample_echo: "),
            ("sample_echo", "{}", 400, "the arguments do not fit sample_echo: "),
            ("sample_echo", #"{"n":10}"#, 400, "the arguments do not fit sample_echo: "),
            ("sample_echo", #"{"n":1,"m":2}"#, 400, "the arguments do not fit sample_echo: "),
            ("sample_echo", #"{"n":1}"#, 400, "sample_echo needs the credential key, and "),
        ]
        for (tool, body, status, words) in cases {
            let answer = await host.ask("POST", "/v1/tools/\(tool)/call", body: body, as: AdminHost.stranger)
            #expect(answer.status == status && answer.message?.hasPrefix(words) == true, "\(body): \(answer.text)")
            let entry = try #require(try host.lastEntry())
            #expect(entry["kind"] == "refused" && entry["tool"] == .string(tool) && entry["surface"] == "api")
            #expect(entry["reason"] == JSONValue(answer.message))
        }
    }

    @Test func argumentsBeyondTheLimitAreRefusedByTheirSize() async throws {
        try await host.install()
        let body = [UInt8](repeating: 0x20, count: HostLimits.argumentBytes + 1)
        let answer = await host.ask("POST", "/v1/tools/sample_echo/call", bytes: body)
        #expect(answer.message == "the arguments have 1048577 bytes; the limit is 1048576")
    }

    // MARK: audit

    @Test(arguments: ["0", "-1", "10001", "x", "", "1.5", "99999999999999999999", "１"])
    func auditCountsOutsideTheRangeAreRefused(count: String) async {
        let answer = await host.ask("GET", "/v1/audit", query: ["count": count])
        #expect(answer.status == 400 && answer.message == "count is a number from 1 to 10000")
    }

    @Test func theAuditTailIsLinesOfJSON() async throws {
        for _ in 0..<3 { _ = await host.ask("POST", "/v1/tools/nope/call") }
        let answer = await host.ask("GET", "/v1/audit", query: ["count": "2"])
        #expect(answer.body.split(separator: 0x0A).count == 2 && answer.body.last == 0x0A)
    }
}
