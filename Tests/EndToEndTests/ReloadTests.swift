import Foundation
import JSONBytes
import Testing

/// nexus.json, with a real nexusd: at its start, by `nexus reload`, and by SIGHUP.
@Suite(.serialized) struct ReloadTests {
    /// As an administrator writes it: by the test's own user, which is root or the host's.
    private func write(_ text: String, _ host: TestHost, mode: mode_t = 0o644) throws {
        let path = "\(host.home)/nexus.json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        guard chmod(path, mode) == 0 else { throw Failure("chmod \(path): errno \(errno)") }
    }

    @Test(arguments: Person.available)
    func aReloadChangesOnePluginAndNeitherRestartsTheOtherNorLosesACall(person: Person) throws {
        let host = try TestHost(person)
        for plugin in ["echo", "python"] { try host.install(plugin) }
        for plugin in ["echo", "python"] { try host.nexus("plugin", "start", plugin) }
        let before = try ["echo", "python"].map { try host.state(of: $0)["instance"]?.stringValue }
        let call = try host.begin("sleep", #"{"ms":3000}"#)
        #expect(try eventually { try self.entry(host, "echo")?["state"]?.stringValue == "busy" })

        try write(#"{"plugins":{"echo":{"queued":5},"typo":{}}}"#, host)
        let change = try host.nexus("reload", "--json").json()
        #expect(change["changed"] == ["echo"] && change["unchanged"] == 1 && change["budgetChanged"] == false)
        #expect(change["notInstalled"] == ["typo"])
        // A budget for one: who serves nobody goes, who serves stays.
        try write(#"{"budget":{"processes":1},"plugins":{"echo":{"queued":5}}}"#, host)
        let outcome = try host.nexus("reload")
        #expect(outcome.output == "settings changed of: none; as before: 2\nthe budget changed\n", "\(outcome)")
        #expect(try eventually { try self.entry(host, "python") == nil })
        let finished = try call.finish(seconds: 30)
        #expect(finished.status == 0, "a call under way was lost: \(finished)")
        #expect(try host.state(of: "echo")["instance"]?.stringValue == before[0], "it was restarted")
        let recorded = try host.audit().filter { $0["event"]?.stringValue == "configuration" }
        #expect(recorded.count == 2 && recorded[0]["changed"] == ["echo"])
        #expect(recorded.allSatisfy { $0["sha256"]?.stringValue?.utf8.count == 64 })
    }

    private func entry(_ host: TestHost, _ plugin: String) throws -> JSONValue? {
        try host.nexus("top", "--once", "--json").json()["instances"]?.arrayValue?.first {
            $0["plugin"]?.stringValue == plugin
        }
    }

    @Test(arguments: Person.available)
    func aFileWithAMistakeLeavesTheOldSettingsAndStopsAStart(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        try host.nexus("plugin", "start", "echo")
        let instance = try host.state(of: "echo")["instance"]?.stringValue
        try write(#"{"budget":{"processes":0}}"#, host)
        let words = "budget.processes must be an integer from 1 to 10000, found 0"
        let refused = try host.nexus("reload")
        #expect(refused.status == 1 && refused.errors.contains(words), "\(refused)")
        try write("{}", host, mode: 0o666)
        #expect(try host.nexus("reload").errors.contains("can be written by other users (mode 666)"))
        #expect(try host.call("echo").status == 0)
        #expect(try host.state(of: "echo")["instance"]?.stringValue == instance)

        try write(#"{"budget":{"processes":0}}"#, host)
        try host.nexus("down")
        let start = try host.nexus("up", "--port", "0")
        #expect(start.status == 1 && start.errors.contains(words), "\(start)")
        #expect(try host.nexus("status").status == 3)
        try write(#"{"budget":{"processes":1}}"#, host)
        try host.up()
        #expect(try host.call("echo").status == 0)
    }

    @Test func aHangupReloadsAndTellsTheLog() throws {
        let host = try TestHost()
        let log = { (try? String(contentsOfFile: "\(host.home)/nexusd.log", encoding: .utf8)) ?? "" }
        try write("{}]", host)
        kill(host.processID, SIGHUP)
        #expect(eventually { log().contains("the old configuration stays: ") }, "\(log())")
        try write(#"{"plugins":{"echo":{"warm":1}}}"#, host)
        kill(host.processID, SIGHUP)
        #expect(eventually { log().contains("configuration reloaded") }, "\(log())")
        let recorded = try host.audit().last { $0["event"]?.stringValue == "configuration" }
        #expect(recorded?["actor"] == "SIGHUP" && recorded?["changed"] == ["echo"])
        #expect(try host.nexus("status").status == 0)
    }
}
