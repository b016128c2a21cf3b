import Foundation
import JSONBytes
import Testing

/// What the host does with plugins that fail, and what of it outlives the host.
@Suite(.serialized) struct SupervisionTests {
    private func incidents(_ host: TestHost, _ plugin: String) throws -> [JSONValue] {
        try host.nexus("plugin", "incidents", plugin, "--limit", "100", "--json").json()["incidents"]?.arrayValue ?? []
    }

    /// Fails until the host has had enough of it.
    private func park(_ host: TestHost, _ plugin: String) throws {
        #expect(
            eventually {
                _ = try? host.call("poke", #"{"a":1}"#)
                return (try? host.state(of: plugin)["state"]?.stringValue) == "parked"
            })
    }

    private func installRogue(_ host: TestHost, _ mode: String) throws {
        try host.install("rogue-\(mode)")
        let stored = try host.nexus(
            "secret", "set", "rogue-\(mode)", "api_key", "--user", host.person.name, input: "a-value-for-tests")
        guard stored.status == 0 else { throw Failure("secret: \(stored)") }
        // Its failures are to count for the plugin: with a process for each user they would count for that user.
        try host.nexus("plugin", "isolation", "rogue-\(mode)", "--weakening-shared-users")
    }

    @Test(arguments: Person.available)
    func aPluginThatKeepsFailingIsParkedUntilAnAdminStartsItAlsoOverTheHostsEnd(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        try installRogue(host, "exit-in-call")
        try park(host, "rogue-exit-in-call")
        let list = try incidents(host, "rogue-exit-in-call")
        #expect(list.count == 5)
        let refused = try host.call("poke", #"{"a":1}"#)
        let error = try JSONValue(parsing: refused.errors)["error"]
        #expect(error?["code"]?.stringValue == "unavailable" && error?["retryable"]?.boolValue == false)
        #expect(error?["message"]?.stringValue?.contains("is parked, for it failed 5 times within 60 s") == true)
        #expect(try incidents(host, "rogue-exit-in-call").count == 5, "a refused call starts nothing")
        try host.nexus("plugin", "start", "echo")

        kill(host.processID, SIGKILL)
        #expect(eventually { !isAlive(host.processID) })
        try host.up()
        let parked = try host.state(of: "rogue-exit-in-call")
        #expect(parked["state"]?.stringValue == "parked", "\(parked.text.prefix(300))")
        #expect(parked["cause"]?.stringValue?.contains("exited with code 0") == true)
        // An admin had started this one, so that it runs again without a call.
        #expect(eventually { (try? host.state(of: "echo")["state"]?.stringValue) == "running" })

        let start = try host.nexus("plugin", "start", "rogue-exit-in-call")
        #expect(start.status == 0, "\(start)")
        #expect(try host.state(of: "rogue-exit-in-call")["state"]?.stringValue == "running")
    }

    @Test func anIncidentTellsHowAPluginEndedAndNothingOfItsCalls() throws {
        let host = try TestHost()
        try installRogue(host, "exit-in-call")
        #expect(try host.call("poke", #"{"a":"payload-of-a-call"}"#).status == 1)
        let listed = try #require(try incidents(host, "rogue-exit-in-call").first)
        let id = try #require(listed["id"]?.intValue)
        let shown = try host.nexus("plugin", "incidents", "show", "\(id)", "--json").json()
        #expect(shown["exitCode"]?.intValue == 0 && shown["state"]?.stringValue == "running")
        let received = shown["received"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let sent = shown["sent"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(received == ["hello", "initialized", "started"], "\(received)")
        #expect(sent == ["welcome", "initialize", "start", "call"], "\(sent)")
        #expect(shown["calls"]?.arrayValue?.count == 1)
        #expect(shown["layers"]?.arrayValue?.contains { $0["layer"]?.stringValue == "seccomp" } == true)
        #expect(!shown.text.contains("payload-of-a-call") && !shown.text.contains("a-value-for-tests"))
        let entry = try host.audit().last { $0["event"]?.stringValue == "failed" }
        #expect(entry?["incident"]?.stringValue == "\(id)")
        let text = try host.nexus("plugin", "incidents", "show", "\(id)").output
        #expect(text.contains("exited with code 0") && text.contains("LAYER OF ITS JAIL"), "\(text)")
        #expect(try host.nexus("plugin", "incidents", "show", "999").errors.contains("no incident has the id 999"))
    }

    @Test func whatRanWhenTheHostWasKilledIsStoppedAndSaysSo() throws {
        let host = try TestHost()
        try host.install("echo")
        _ = try host.call("echo")
        #expect(try host.state(of: "echo")["state"]?.stringValue == "running")
        kill(host.processID, SIGKILL)
        #expect(eventually { !isAlive(host.processID) })
        try host.up()
        let plugins = try host.nexus("plugin", "list", "--json").json()["plugins"]?.arrayValue
        let echo = try #require(plugins?.first)
        #expect(echo["state"]?.stringValue == "stopped" && echo["cause"]?.stringValue == "host restarted")
        #expect((echo["since"]?.intValue ?? 0) > 1_700_000_000_000)
        #expect(try host.nexus("plugin", "list").output.contains("host restarted"))
    }

    /// A folder with another version of echo.
    private func secondVersion() throws -> String {
        let folder = "/tmp/nexus-e2e-upgrade-\(UUID().uuidString.prefix(8))"
        try FileManager.default.copyItem(atPath: try Built.plugin("echo"), toPath: folder)
        let manifest = try String(contentsOfFile: "\(folder)/plugin.json", encoding: .utf8)
        try manifest.replacing("\"version\": \"1.0.0\"", with: "\"version\": \"2.0.0\"")
            .write(toFile: "\(folder)/plugin.json", atomically: false, encoding: .utf8)
        let program = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(folder)/bin/echo"))
        try program.seekToEnd()
        try program.write(contentsOf: Data("2".utf8))
        try program.close()
        return folder
    }

    private func restart(_ host: TestHost) throws {
        kill(host.processID, SIGKILL)
        #expect(eventually { !isAlive(host.processID) })
        try host.up()
    }

    @Test(arguments: Person.available)
    func aProbationGoesOnAfterTheHostsEndAndTheOldVersionStillComesBack(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        let folder = try secondVersion()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", folder])
        #expect(try host.nexus("plugin", "upgrade", folder, "--yes", "--probation", "600").status == 0)
        try restart(host)
        #expect(try host.state(of: "echo")["version"] == "2.0.0")
        let refused = try host.nexus("plugin", "upgrade", folder, "--yes")
        #expect(refused.errors.contains("2.0.0 is on probation for another "), "\(refused)")
        #expect(try host.call("crash").status == 1)
        #expect(try eventually { try host.state(of: "echo")["version"] == "1.0.0" })
        let incident = try #require(try incidents(host, "echo").first?["id"]?.intValue)
        let cause = try host.state(of: "echo")["cause"]?.stringValue ?? ""
        let words = "2.0.0 was taken back after incident \(incident) (`nexus plugin incidents echo`): "
        #expect(cause.hasPrefix(words), "\(cause)")
        let entry = try host.audit().last { $0["event"]?.stringValue == "rolled-back" }
        #expect(entry?["incident"]?.stringValue == "\(incident)")
        #expect(try host.call("echo", #"{"n":1}"#).output == "{\"n\":1}\n")

        // One that is over when the host comes back is over.
        #expect(try host.nexus("plugin", "upgrade", folder, "--yes", "--probation", "1").status == 0)
        kill(host.processID, SIGKILL)
        #expect(eventually { !isAlive(host.processID) })
        usleep(1_200_000)
        try host.up()
        #expect(try host.call("crash").status == 1)
        #expect(eventually { (try? host.call("echo", "{}").status) == 0 })
        #expect(try host.state(of: "echo")["version"] == "2.0.0")
        let same = try host.nexus("plugin", "upgrade", folder, "--yes", "--json")
        let error = try JSONValue(parsing: same.errors)["error"]
        #expect(error?["code"] == "conflict" && error?["retryable"] == false, "\(same)")
        #expect(error?["message"]?.stringValue?.hasPrefix("echo is already 2.0.0; ") == true, "\(same)")
    }

    @Test func anUpgradeSaysOnATerminalWhatItWaitsFor() throws {
        let host = try TestHost()
        try host.install("echo")
        let folder = try secondVersion()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", folder])
        let command = try host.command(["plugin", "upgrade", folder, "--yes"]).joined(separator: " ")
        let shown = try Program.run(
            ["/usr/bin/script", "-qefc", command, "/dev/null"], environment: ["NEXUS_HOME": host.home])
        #expect(shown.status == 0, "\(shown)")
        #expect(shown.output.contains("waiting for echo 2.0.0 to start and answer: 0 s"), "\(shown)")
        #expect(shown.output.contains("\r\u{1B}[K") && shown.output.contains("upgraded echo 1.0.0 to 2.0.0"))
        let piped = try host.nexus("plugin", "upgrade", folder, "--yes")
        #expect(!piped.errors.contains("waiting for"), "\(piped)")
    }

    /// The new version's program is larger than any other message may be.
    @Test func anUpgradeTakesALargeBundleAndOnlyOneAtATime() throws {
        let host = try TestHost()
        try host.install("echo")
        let folder = try secondVersion()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let program = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(folder)/bin/echo"))
        try program.seekToEnd()
        try program.write(contentsOf: Data(count: 6 << 20))
        try program.close()

        let upgraded = try host.nexus("plugin", "upgrade", folder, "--yes", "--json")
        #expect(upgraded.status == 0, "\(upgraded)")
        let answer = try upgraded.json()
        #expect(answer["previous"] == "1.0.0" && answer["version"] == "2.0.0" && answer["probationSeconds"] == 60)
        let state = try host.state(of: "echo")
        #expect(state["state"] == "running" && state["version"] == "2.0.0")
        #expect(try host.call("echo", #"{"n":1}"#).output == "{\"n\":1}\n")

        let second = try host.nexus("plugin", "upgrade", folder, "--yes", "--json")
        let error = try JSONValue(parsing: second.errors)["error"]
        #expect(second.errors.contains("2.0.0 is on probation for another "), "\(second)")
        #expect(second.status == 1 && error?["code"] == "conflict" && error?["retryable"] == true, "\(second)")
        let said = try host.nexus("plugin", "upgrade", try Built.plugin("rogue-exit-in-call"), "--yes")
        #expect(said.status == 1 && said.errors.contains("rogue-exit-in-call"), "\(said)")
    }

    @Test func aWantedPluginIsStartedAgainWithoutACall() throws {
        let host = try TestHost()
        try host.install("echo")
        try host.nexus("plugin", "start", "echo")
        for _ in 0..<2 {
            let before = try host.state(of: "echo")["instance"]?.stringValue
            let plugins = Set(try host.descendants()).subtracting(try host.jailProcesses())
            for process in plugins { kill(process, SIGKILL) }
            let isBack = eventually {
                guard let state = try? host.state(of: "echo") else { return false }
                return state["state"]?.stringValue == "running" && state["instance"]?.stringValue != before
            }
            #expect(isBack)
        }
        try host.nexus("plugin", "stop", "echo")
        #expect(try Set(host.descendants()) == host.jailProcesses())
    }
}
