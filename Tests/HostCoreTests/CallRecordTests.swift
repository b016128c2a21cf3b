import AuditLog
import Glibc
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

    /// Who is told that no call was made would make it again.
    @Test func aFullDiskAfterTheCallSaysThatTheCallWasMade() async {
        await #expect(processExitsWith: .success) {
            let folder = try TestHome()
            let audit = try AuditLog(directory: folder.home.audit)
            var before = CallRecord(ToolRequest(tool: "t", arguments: [], presented: Presented(), surface: "api"))
            var after = before
            try after.writeIntent(to: audit)
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            try #require(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            limit.rlim_cur = 10
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            do {
                try before.writeIntent(to: audit)
                try #require(Bool(false), "the disk is full")
            } catch let error as HostError {
                try #require(error.retryable && error.message.hasSuffix("no call is made without it"))
            }
            do {
                try after.writeOutcome("ok", to: audit)
                try #require(Bool(false), "the disk is full")
            } catch let error as HostError {
                try #require(!error.retryable && error.message.hasPrefix("the call was made, and its outcome"))
            }
        }
    }

    @Test func everyCallIsCountedOnceHoweverItEnds() throws {
        let metrics = HostMetrics()
        let begin = { (plugin: String?) in
            var record = CallRecord(
                ToolRequest(tool: "t", arguments: [], presented: Presented(), surface: "api"), metrics: metrics)
            record.plugin = plugin
            return record
        }
        var good = begin("sample")
        try good.writeIntent(to: audit)
        try good.writeOutcome("ok", to: audit)
        var bad = begin("sample")
        try bad.writeFailure(HostError(.forbidden, "no"), to: audit)
        var unknown = begin(nil)
        try unknown.writeFailure(HostError(.unknownTool, "no"), to: audit)
        var unrecorded = begin("sample")
        try unrecorded.writeFailure(HostError(.auditFailed, "no"), to: audit)
        let text = String(decoding: metrics.text([]), as: UTF8.self)
        let calls = text.split(separator: "\n").filter { $0.hasPrefix("nexus_calls_total") }
        #expect(
            calls == [
                #"nexus_calls_total{plugin="",tool="",outcome="unknown-tool"} 1"#,
                #"nexus_calls_total{plugin="sample",tool="t",outcome="audit-failed"} 1"#,
                #"nexus_calls_total{plugin="sample",tool="t",outcome="forbidden"} 1"#,
                #"nexus_calls_total{plugin="sample",tool="t",outcome="ok"} 1"#,
            ])
        let signed = bad.signed(HostError(.forbidden, "no"))
        #expect(signed.call == bad.identity && signed.call?.requestID == bad.requestID)
    }

    @Test func aCallThatWasNeverMadeIsARefusalWithItsReason() throws {
        var record = record()
        try record.writeFailure(HostError(.unauthenticated, "no"), to: audit)
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
        var record = record(tool: bloat)
        try record.writeFailure(HostError(.unknownTool, bloat), to: audit)
        #expect(try #require(try audit.tail(1).first).count < 8_000)
    }

    @Test func anEntryNeverSpansLinesWhateverTheNames() throws {
        var record = record(tool: "a\nb\r\n{\"seq\":1}\u{2028}\u{0}")
        try record.writeFailure(HostError(.unknownTool, "x\ny"), to: audit)
        #expect(try audit.tail(100).count == 1)
        #expect(throws: Never.self) { try AuditLog(directory: folder.home.audit) }
    }

    @Test func requestsHaveIdsOfTheirOwn() {
        #expect(Set((0..<200).map { _ in record().requestID }).count == 200)
    }
}
