import Foundation
import JSONBytes
import Testing

/// What happens when processes are killed.
@Suite(.serialized) struct FaultTests {
    @Test(arguments: Person.available)
    func aPluginKilledInACallGivesItsCallerAnErrorAndTheNextCallSucceeds(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        #expect(try host.call("echo", #"{"n":1}"#).status == 0)
        let running = try host.begin("sleep", #"{"ms":60000}"#)
        #expect(eventually { (try? host.audit().contains { $0["tool"]?.stringValue == "sleep" }) == true })
        let plugin = try #require(try pluginProcess(host))
        kill(plugin, SIGKILL)
        let killed = Date()
        // Far below the 60 s that the call would take; the measured time is printed.
        let outcome = try running.finish(seconds: 20)
        print("kill -9 of a plugin: its caller had an error after \(milliseconds(since: killed)) ms")
        #expect(outcome.status == 1)
        let failure = try JSONValue(parsing: outcome.errors)["error"]
        #expect(failure?["code"]?.stringValue == "plugin-failed", "\(outcome)")
        #expect(failure?["message"]?.stringValue?.contains("killed by signal 9") == true, "\(outcome)")
        let next = try host.call("echo", #"{"n":2}"#)
        #expect(next.output == "{\"n\":2}\n", "\(next)")
        #expect(try host.state(of: "echo")["instance"]?.stringValue == "echo#2")
    }

    @Test(arguments: Person.available)
    func noPluginSurvivesAKilledHost(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        try host.install("crypto-bot")
        try host.nexus("plugin", "start", "echo")
        try host.nexus("plugin", "start", "crypto-bot")
        let family = try host.descendants()
        #expect(family.count >= 6)  // nexus-jail's keeper and launcher, and an init and a plugin twice
        kill(host.processID, SIGKILL)
        let killed = Date()
        #expect(eventually(within: 5) { !family.contains(where: isAlive) })
        print(
            "kill -9 of nexusd: the last of \(family.count) processes was gone after \(milliseconds(since: killed)) ms"
        )
        // The home is free again, and the log's chain holds.
        try host.up()
        #expect(try host.call("echo", "{}").status == 0)
    }

    /// Every jail is lost with it, and each loss is on record; callers are answered, and the next calls are served.
    @Test(arguments: Person.available)
    func aKilledLauncherIsReplacedAndEveryLossIsRecorded(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        try host.install("crypto-bot")
        try host.nexus("plugin", "start", "crypto-bot")
        let running = try host.begin("sleep", #"{"ms":60000}"#)
        #expect(eventually { (try? host.audit().contains { $0["tool"]?.stringValue == "sleep" }) == true })
        let lost = Set(try host.descendants()).subtracting(try host.jailProcesses())
        kill(host.launcherID, SIGKILL)
        let failure = try JSONValue(parsing: try running.finish(seconds: 20).errors)["error"]
        #expect(
            failure?["message"]?.stringValue?.contains("lost: the jail was killed") == true, "\(failure?.text ?? "")")
        #expect(eventually(within: 5) { !lost.contains(where: isAlive) })
        #expect(eventually { (try? host.call("echo", #"{"n":2}"#).output) == "{\"n\":2}\n" })
        #expect(isAlive(host.processID))
        let status = try host.nexus("status", "--json").json()
        #expect(status["launcherID"]?.intValue != Int(host.launcherID))
        let incidents = try host.nexus("plugin", "incidents", "--json").json()["incidents"]?.arrayValue ?? []
        #expect(incidents.contains { $0["plugin"] == .null && $0["cause"]?.stringValue?.contains("signal 9") == true })
        #expect(incidents.contains { $0["plugin"]?.stringValue == "echo" })
        // The plugin that an admin had started comes back by itself, and none of this counts against it.
        #expect(eventually { (try? host.state(of: "crypto-bot")["state"]?.stringValue) == "running" })
        #expect(try host.state(of: "echo")["failures"]?.intValue == 0)
        let kinds = try host.audit().compactMap { $0["event"]?.stringValue }
        #expect(kinds.contains("launcher-lost"))
    }

    @Test func aHostWhoseKeeperDiesStopsAndSaysWhy() throws {
        let host = try TestHost()
        try host.install("echo")
        _ = try host.call("echo")
        let family = try host.descendants()
        for keeper in try host.jailProcesses().subtracting([host.launcherID]) { kill(keeper, SIGKILL) }
        #expect(eventually { !isAlive(host.processID) && !family.contains(where: isAlive) })
        let log = try String(contentsOfFile: "\(host.home)/nexusd.log", encoding: .utf8)
        #expect(log.contains("nexus-jail ended (its keeper killed by signal 9)"))
        try host.up()
        #expect(try host.call("echo", "{}").status == 0)
    }

    @Test func anAgentThatHangsUpCancelsItsCall() throws {
        let host = try TestHost()
        try host.install("echo")
        let running = try host.begin("sleep", #"{"ms":60000}"#)
        #expect(eventually { (try? host.audit().contains { $0["tool"]?.stringValue == "sleep" }) == true })
        kill(running.process.processIdentifier, SIGKILL)
        let isRecorded = eventually {
            (try? host.audit().contains {
                $0["kind"]?.stringValue == "outcome" && $0["code"]?.stringValue == "cancelled"
            }) == true
        }
        #expect(isRecorded)
        #expect(try host.state(of: "echo")["state"]?.stringValue == "running")
    }

    @Test func downLeavesNothingBehind() throws {
        let host = try TestHost()
        try host.install("echo")
        _ = try host.call("echo")
        let family = try host.descendants()
        let down = try host.nexus("down")
        #expect(down.status == 0, "\(down)")
        #expect(eventually(within: 5) { !family.contains(where: isAlive) && !isAlive(host.processID) })
        for file in ["nexusd.sock", "nexusd.pid"] {
            #expect(!FileManager.default.fileExists(atPath: "\(host.home)/\(file)"), "\(file)")
        }
        #expect(try host.nexus("status").status == 3)
    }

    private func milliseconds(since start: Date) -> Int { Int(Date().timeIntervalSince(start) * 1_000) }

    private func pluginProcess(_ host: TestHost) throws -> Int32? {
        try host.descendants().first { process in
            (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?.hasPrefix("nexus") == false
        }
    }

    @Test(arguments: Person.available)
    func aPluginIsStartedAgainFromTheVerifiedMemoryOfItsFirstStart(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        let first = try sealedProgram(of: host)
        kill(first.process, SIGKILL)
        #expect(eventually { !isAlive(first.process) })
        let second = try sealedProgram(of: host)
        #expect(second.process != first.process && second.inode == first.inode)
        try host.nexus("plugin", "stop", "echo")
        #expect(try sealedProgram(of: host).inode != first.inode, "a stopped plugin holds no memory")
    }

    /// The process that executes sealed memory after a call, and which memory that is.
    private func sealedProgram(of host: TestHost) throws -> (process: Int32, inode: UInt64) {
        #expect(eventually { (try? host.call("echo"))?.status == 0 })
        for process in try host.descendants() {
            let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
            var info = stat()
            guard link?.contains("memfd:echo") == true, stat("/proc/\(process)/exe", &info) == 0 else { continue }
            return (process, UInt64(info.st_ino))
        }
        throw Failure("no process of \(host.home) executes sealed memory")
    }
}
