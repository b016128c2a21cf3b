import AuditLog
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct CallRecordTests {
    let folder: TestHome
    let audit: AuditLog

    init() throws {
        folder = try TestHome()
        audit = try AuditLog(directory: folder.home.audit)
    }

    private func record(tool: String = "sample_echo") -> CallRecord {
        CallRecord(
            ToolRequest(
                tool: tool, arguments: Array(#"{"canary":"ARGUMENT-CANARY"}"#.utf8),
                presented: Presented(bearer: "BEARER-CANARY"), surface: "mcp-http"))
    }
    private func entries() throws -> [JSONValue] { try audit.tail(100).map { try JSONValue(parsing: $0) } }

    @Test func anIntentAndItsOutcomeNameEverybodyAndNothingSecret() throws {
        var record = record()
        record.caller = Caller(actor: "agent", principal: "team/alice")
        record.plugin = "sample"
        record.instance = "sample#1"
        record.rule = "installed-tools"
        record.credentials = ["key": "********(0123456789abcdef)"]
        try record.writeIntent(to: audit)
        try record.writeOutcome("ok", to: audit)
        let list = try entries()
        let intent = try #require(list.first)
        #expect(
            intent.objectValue?.members.map(\.key) == [
                "seq", "prev", "time", "kind", "request", "trace", "surface", "actor", "principal", "plugin",
                "instance", "tool", "rule", "credentials",
            ])
        #expect(intent["actor"] == "agent" && intent["principal"] == "team/alice" && intent["instance"] == "sample#1")
        #expect(intent["credentials"]?["key"] == "********(0123456789abcdef)")
        let outcome = try #require(list.last)
        #expect(outcome["kind"] == "outcome" && outcome["outcome"] == "ok" && outcome["intent"] == 1)
        #expect(outcome["request"] == intent["request"])
        #expect(outcome["trace"] == intent["trace"] && intent["trace"]?.stringValue?.hasPrefix("00-") == true)
        let bytes = try folder.bytes("\(folder.home.audit)/\(AuditLog.fileName)")
        #expect(!bytes.contains("ARGUMENT-CANARY") && !bytes.contains("BEARER-CANARY") && !bytes.contains("canary"))
    }

    @Test func aCallThatWasNeverMadeIsARefusalWithItsReason() throws {
        try record().writeFailure(HostError(.unauthenticated, "no"), to: audit)
        let entry = try #require(try entries().first)
        #expect(entry["kind"] == "refused" && entry["code"] == "unauthenticated" && entry["reason"] == "no")
        #expect(entry["actor"] == .null && entry["instance"] == .null)
    }

    @Test func aCallThatFailedAfterItsIntentHasAnOutcome() throws {
        var record = record()
        try record.writeIntent(to: audit)
        try record.writeFailure(HostError(.pluginFailed, "gone"), to: audit)
        #expect(try entries().map { $0["kind"] } == ["call", "outcome"])
        try record.writeFailure(HostError(.auditFailed, "x"), to: audit)
        #expect(try entries().count == 2)
    }

    @Test func bloatedNamesAndReasonsStayShortInTheLog() throws {
        let bloat = "e" + String(repeating: "\u{301}", count: 500_000)
        try record(tool: bloat).writeFailure(HostError(.unknownTool, bloat), to: audit)
        #expect(try #require(try audit.tail(1).first).count < 8_000)
    }

    @Test func anEntryNeverSpansLinesWhateverTheNames() throws {
        try record(tool: "a\nb\r\n{\"seq\":1}\u{2028}\u{0}").writeFailure(HostError(.unknownTool, "x\ny"), to: audit)
        #expect(try audit.tail(100).count == 1)
        #expect(throws: Never.self) { try AuditLog(directory: folder.home.audit) }
    }

    @Test func requestsHaveIdsOfTheirOwn() {
        #expect(Set((0..<200).map { _ in record().requestID }).count == 200)
    }
}
