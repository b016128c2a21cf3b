import Foundation
import JSONBytes
import Testing

@testable import HostCore

/// With real jails.
@Suite(.timeLimit(.minutes(5)), .serialized) struct SupervisorConfigurationTests {
    private let host: JailedHost
    init() throws { host = try JailedHost() }

    private func write(_ text: String, mode: mode_t = 0o600) throws {
        try host.folder.write(text, to: host.folder.home.configuration, mode: mode)
    }

    @Test func aReloadStopsWhatTheBudgetDoesNotHoldAndLosesNoCall() async throws {
        let tools = ["echo", "environment"]
        for tool in tools { try host.install(JailedHost.bundle("only-\(tool)", tools: [tool])) }
        try host.install(JailedHost.bundle(tools: ["sleep"]))
        for tool in tools { _ = try await host.call(tool).get() }
        let call = Task { [host] in await host.call("sleep", #"{"ms":1500}"#) }
        let before = await host.ledger { $0.contains { $0.plugin == "echo" && $0.state == "busy" } }
        #expect(before.count == 3)
        try write(#"{"budget":{"processes":1},"plugins":{"echo":{"queued":5}}}"#)
        let change = try await host.supervisor.reload(host.folder.home, by: "alice")
        #expect(change.changed == ["echo"] && change.unchanged == 2 && change.budgetChanged)
        let after = await host.ledger { $0.count == 1 }
        #expect(after.map(\.instance) == before.filter { $0.plugin == "echo" }.map(\.instance), "it serves")
        guard case .success = await call.value else {
            Issue.record("a call was lost: \(await call.value)")
            return
        }
        let entry = try #require(try host.entries("admin").last)
        #expect(entry["event"] == "configuration" && entry["actor"] == "alice" && entry["changed"] == ["echo"])
        #expect(entry["budgetChanged"] == true && entry["sha256"]?.stringValue?.utf8.count == 64)
        await host.supervisor.shutDown()
    }

    @Test func aFileWithAMistakeChangesNothingAndIsNotRecorded() async throws {
        try write(#"{"plugins":{"echo":{"probationSeconds":7}}}"#)
        _ = try await host.supervisor.reload(host.folder.home, by: "alice")
        #expect(await host.supervisor.probationMilliseconds(of: "echo") == 7_000)
        let recorded = try host.entries("admin").count
        for (text, mode) in [(#"{"plugins":{"echo":{"warm":-1}}}"#, 0o600), ("{}", 0o666)] as [(String, mode_t)] {
            try write(text, mode: mode)
            await #expect(throws: HostError.self) { try await host.supervisor.reload(host.folder.home, by: "alice") }
            #expect(await host.supervisor.probationMilliseconds(of: "echo") == 7_000)
        }
        #expect(try host.entries("admin").count == recorded)
        try #require(unlink(host.folder.home.configuration) == 0)
        #expect(try await host.supervisor.reload(host.folder.home, by: "alice").changed == ["echo"])
        #expect(await host.supervisor.probationMilliseconds(of: "echo") == 60_000)
        #expect(try host.entries("admin").last?["sha256"] == .null)
        await host.supervisor.shutDown()
    }
}
