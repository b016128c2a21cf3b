import Foundation
import JSONBytes
import PluginABI
import Registry
import Synchronization
import Testing

@testable import HostCore

/// With real jails and, where it says so, under constant load.
@Suite(.timeLimit(.minutes(5)), .serialized) struct SupervisorUpgradeTests {
    private static let second = "2.0.0"

    private func files(_ host: JailedHost) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "\(host.folder.home.store)/sha256").count
    }

    private func events(_ host: JailedHost) throws -> [String] {
        try host.entries("plugin").compactMap { $0["event"]?.stringValue }
    }

    private func upgrade(_ host: JailedHost, _ bundle: PluginBundle, probation: UInt64 = 60_000) async -> HostError? {
        do throws(HostError) {
            try await host.supervisor.upgrade(bundle, probationMilliseconds: probation)
            return nil
        } catch {
            return error
        }
    }

    /// Callers that go on until they are told, and what they got.
    private final class Load: Sendable {
        private let isOver = Mutex(false)
        private let failures = Mutex<[String]>([])
        private let counts = Mutex((asked: 0, answered: 0))

        func run(_ host: JailedHost, callers: Int) async {
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask { [self] in
                        while !isOver.withLock({ $0 }) {
                            let number = counts.withLock { counts in
                                counts.asked += 1
                                return counts.asked
                            }
                            let sent = "{\"n\":\(number)}"
                            let answer = await host.call("echo", sent, as: UInt32(caller + 1))
                            counts.withLock { $0.answered += 1 }
                            if answer != .success(sent) { failures.withLock { $0.append("\(answer)") } }
                        }
                    }
                }
            }
        }

        func stop() { isOver.withLock { $0 = true } }
        var answered: Int { counts.withLock { $0.answered } }
        var asked: Int { counts.withLock { $0.asked } }
        var failed: [String] { failures.withLock { $0 } }
    }

    private static func waitUntil(_ isTrue: () -> Bool) async {
        for _ in 0..<6_000 where !isTrue() { try? await Task.sleep(for: .milliseconds(5)) }
    }

    @Test(arguments: ["shared", "per-user", "per-call"])
    func noCallIsLostOrAnsweredTwiceWhileVersionsChange(isolation: String) async throws {
        let host = try JailedHost()
        let bundles = try ["1", "2"].map {
            try JailedHost.bundle(version: "\($0).0.0", isolation: isolation, concurrency: 4, note: $0)
        }
        try host.install(bundles[0])
        let load = Load()
        let running = Task { await load.run(host, callers: 6) }
        for round in 1...4 {
            let before = load.answered
            await Self.waitUntil { load.answered >= before + 50 }
            #expect(await upgrade(host, bundles[round % 2], probation: 0) == nil)
            _ = await host.supervisor.isOnProbation("echo", until: false)
            let after = load.answered
            await Self.waitUntil { load.answered >= after + 50 }
            let version = try host.catalog.plugin("echo").manifest.version
            #expect(version == bundles[round % 2].manifest.version)
        }
        load.stop()
        await running.value
        #expect(load.failed == [], "of \(load.asked) calls")
        #expect(load.answered == load.asked && load.asked >= 400)
        // In the log, too, each call has one intent and one outcome.
        let outcomes = try host.entries("outcome").compactMap { $0["intent"]?.intValue }
        #expect(outcomes.count == Set(outcomes).count && outcomes.count >= 400)
        let versions = Set(await host.ledger { Set($0.map(\.version)).count == 1 }.map(\.version))
        #expect(versions == [bundles[0].manifest.version], "the old version has left")
        await host.supervisor.shutDown()
    }

    @Test func aVersionThatDoesNotPassItsGateChangesNothing() async throws {
        let host = try JailedHost()
        let old = try host.install(JailedHost.bundle())
        #expect(await host.call("echo") == .success("{}"))
        let modes = ["exit-at-start": "exited with code 3", "refuse-start": "does not start"]
        for (mode, words) in modes {
            let bundle = try JailedHost.bundle(
                version: Self.second, tools: ["echo"], program: "fixture-plugins/rogue/bin/rogue", arguments: [mode])
            let error = await upgrade(host, bundle)
            #expect(error?.message.hasPrefix("echo 2.0.0 was not taken, 1.0.0 stays: ") == true, "\(error as Any)")
            #expect(error?.message.contains(words) == true, "\(error as Any)")
        }
        let now = try host.catalog.plugin("echo")
        let stored = try files(host)
        #expect(now == old && stored == 1)
        #expect(await host.call("echo") == .success("{}"))
        let status = await host.supervisor.status(of: "echo")
        #expect(status.state == "running" && status.cause == nil && status.instance == "echo#1")
        await host.supervisor.shutDown()
    }

    @Test func aNewVersionThatCrashesOnProbationIsTakenBack() async throws {
        let host = try JailedHost()
        let old = try host.install(JailedHost.bundle(tools: ["echo", "old_tool"]))
        #expect(await host.call("echo") == .success("{}"))
        let bundle = try JailedHost.bundle(version: Self.second, tools: ["echo", "crash"], note: "2")
        #expect(await upgrade(host, bundle) == nil)
        let version = try host.catalog.plugin("echo").manifest.version
        let stored = try files(host)
        #expect(version == Self.second && stored == 2)
        #expect(refusal { () throws(HostError) in try host.catalog.tool("old_tool") }?.code == .unknownTool)
        let third = try JailedHost.bundle(version: "3.0.0", note: "3")
        let again = await upgrade(host, third)
        #expect(again?.code == .conflict, "\(again as Any)")
        let crash = await host.call("crash")
        #expect(crash != .success("{}"))
        #expect(await host.supervisor.isOnProbation("echo", until: false) == false)
        #expect(try host.catalog.plugin("echo") == old)
        #expect(try host.catalog.tool("old_tool").plugin == old)
        #expect(await host.call("echo") == .success("{}"))
        #expect(await host.ledger { $0.map(\.version) == ["1.0.0"] }.map(\.version) == ["1.0.0"])
        let events = try events(host).filter { $0 != "stopped" }.suffix(4)
        #expect(events == ["upgraded", "failed", "rolled-back", "started"])
        // What a restart finds is the old version.
        let found = try host.folder.catalog().plugin("echo")
        let left = try files(host)
        #expect(found.digest == old.digest && left == 1)
        await host.supervisor.shutDown()
    }

    @Test func afterItsProbationAVersionStaysAndTheOldOneIsForgotten() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle())
        let bundle = try JailedHost.bundle(version: Self.second, note: "2")
        #expect(await upgrade(host, bundle, probation: 0) == nil)
        #expect(await host.supervisor.isOnProbation("echo", until: false) == false)
        #expect(try files(host) == 1)
        _ = await host.call("crash")
        _ = await host.ledger { $0.isEmpty }
        let version = try host.catalog.plugin("echo").manifest.version
        #expect(version == Self.second)
        #expect(await host.call("echo") == .success("{}"))
        await host.supervisor.shutDown()
    }

    @Test func whatFailsOfTheOldVersionIsNotHeldAgainstTheNewOne() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle())
        let open = Task { await host.call("sleep", "{\"ms\":60000}") }
        let old = await host.ledger { $0.contains { $0.state == "busy" } }
        #expect(await upgrade(host, try JailedHost.bundle(version: Self.second, note: "2"), probation: 0) == nil)
        kill(try #require(old.first?.processID), SIGKILL)
        #expect(await open.value.failure?.code == .pluginFailed)
        #expect(await host.ledger { $0.map(\.version) == [Self.second] }.count == 1)
        #expect(try events(host).contains("failed"))
        let status = await host.supervisor.status(of: "echo")
        #expect(status.state == "running" && status.cause == nil && status.failures == 0)
        await host.supervisor.shutDown()
    }

    @Test func theVersionThatComesBackRunsAgainIfAnAdminStartedIt() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle())
        try await host.supervisor.start("echo")
        #expect(await upgrade(host, try JailedHost.bundle(version: Self.second, note: "2")) == nil)
        #expect(await host.ledger { $0.map(\.version) == [Self.second] }.count == 1)
        #expect(await host.call("crash") != .success("{}"))
        // Nobody calls.
        let back = await host.ledger { $0.map(\.version) == ["1.0.0"] && $0.first?.state == "ready" }
        #expect(back.map(\.version) == ["1.0.0"])
        let status = await host.supervisor.status(of: "echo")
        #expect(status.state == "running" && status.cause == nil && status.failures == 0)
        await host.supervisor.shutDown()
    }

    @Test func oneUserWhoMakesANewVersionFailTakesItFromNobodyWhomItServes() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle(isolation: "per-user"))
        let bundle = try JailedHost.bundle(version: Self.second, isolation: "per-user", note: "2")
        #expect(await upgrade(host, bundle) == nil)
        #expect(await host.call("echo", as: 1) == .success("{}"))
        #expect(await host.call("crash", as: 2) != .success("{}"))
        #expect(await host.ledger { $0.map(\.version) == [Self.second] }.count == 1)
        #expect(try host.catalog.plugin("echo").manifest.version == Self.second)
        #expect(await host.call("echo", as: 2) == .success("{}"))
        // Two are more than one.
        #expect(await host.call("crash", as: 3) != .success("{}"))
        #expect(await host.supervisor.isOnProbation("echo", until: false) == false)
        #expect(try host.catalog.plugin("echo").manifest.version == "1.0.0")
        await host.supervisor.shutDown()
    }

    @Test func theVersionThatRunsIsNoUpgrade() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle())
        let error = await upgrade(host, try JailedHost.bundle(note: "2"))
        #expect(error?.code == .conflict && error?.retryable == false)
        #expect(error?.message.hasPrefix("echo is already 1.0.0; give the new bundle a version of its own") == true)
        await host.supervisor.shutDown()
    }

    @Test func aPluginThatIsNotInstalledIsNotUpgraded() async throws {
        let host = try JailedHost()
        let bundle = try JailedHost.bundle()
        #expect(await upgrade(host, bundle)?.code == .unknownPlugin)
        #expect(host.catalog.list().isEmpty)
    }
}

extension Supervisor {
    /// Waits for it; what it is then.
    fileprivate func isOnProbation(_ name: String, until wanted: Bool) async -> Bool {
        for _ in 0..<2_000 where (probations[name] != nil) != wanted {
            try? await Task.sleep(for: .milliseconds(5))
        }
        return probations[name] != nil
    }
}
