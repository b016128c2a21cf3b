import Foundation
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// With real jails; the decisions themselves are tested on the values (FleetTests, FleetBookTests).
@Suite(.timeLimit(.minutes(5)), .serialized) struct SupervisorTests {
    private static func code(_ result: Result<String, HostError>) -> String {
        switch result {
        case .success(let text): text
        case .failure(let error): "\(error.code): \(error.message)"
        }
    }

    private func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 }

    @Test func sharedCallersUseOneProcessAndItEndsWhenItIsIdle() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle(concurrency: 8))
        let answers = await withTaskGroup(of: String.self) { group in
            for number in 0..<40 { group.addTask { Self.code(await host.call("echo", "{\"n\":\(number)}")) } }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(answers == Set((0..<40).map { "{\"n\":\($0)}" }))
        let entry = try #require(await host.supervisor.ledger().first)
        #expect(await host.supervisor.ledger().count == 1)
        #expect(entry.instance == "echo#1" && entry.callsServed == 40 && entry.callsOpen == 0)
        #expect(entry.servedFor == "everyone" && entry.state == "ready" && entry.version == "1.0.0")
        let process = try #require(entry.processID)
        let idle = Clock.monotonicMilliseconds() + HostLimits.idleMilliseconds
        await host.supervisor.stopIdle(now: idle - 60_000)
        #expect(await host.supervisor.ledger().first?.state == "ready")
        await host.supervisor.stopIdle(now: idle)
        #expect(await host.ledger { $0.isEmpty } == [])
        #expect(!isAlive(process))
        #expect(await host.supervisor.status(of: "echo").state == "stopped")
        #expect(Self.code(await host.call("echo")) == "{}")
        await host.supervisor.shutDown()
    }

    @Test func usersThatAreKeptApartNeverShareAProcess() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle(isolation: "per-user", concurrency: 4))
        for user in [1, 2, 1, 3, 2, 1] as [UInt32] { #expect(Self.code(await host.call("echo", as: user)) == "{}") }
        let instances = try host.entries("call").map { ($0["principal"]?.stringValue, $0["instance"]?.stringValue) }
        #expect(instances.map(\.1) == ["echo#1", "echo#2", "echo#1", "echo#3", "echo#2", "echo#1"])
        #expect(Set(instances.map { "\($0.0 ?? "") \($0.1 ?? "")" }).count == 3)
        await host.supervisor.shutDown()
    }

    /// Else a user could find another's password by having guesses of it redacted.
    @Test(arguments: [("per-user", false), ("shared", true)])
    func whatOneUserLentIsTakenOutOfTheWordsOfProcessesThatSawIt(isolation: String, isShared: Bool) async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle(isolation: isolation, concurrency: 4))
        let plugin = try host.catalog.plugin("echo")
        let due = Clock.monotonicNanoseconds() + 60_000_000_000
        let secret = Credential(name: "key", value: SecretBytes(copying: Array("sommer2026".utf8)))
        var redacted: [String] = []
        for user in ["alice", "bob"] {
            redacted.append(
                try await host.supervisor.withInstance(
                    of: plugin, for: Caller(actor: user, principal: user, isAdministrator: false), before: due
                ) { instance in
                    if user == "alice" { instance.learn([secret]) }
                    return instance.redactor.redact("winter2025 sommer2026")
                })
        }
        #expect(redacted == ["winter2025 [redacted]", isShared ? "winter2025 [redacted]" : "winter2025 sommer2026"])
        await host.supervisor.shutDown()
    }

    @Test func everyCallHasAProcessOfItsOwnThatIsGoneAfterwards() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle(isolation: "per-call"))
        #expect(Self.code(await host.call("echo")) == "{}")
        // Warm now: two are ready, and nobody has used them.
        let entries = await host.ledger { entries in entries.filter { $0.state == "ready" }.count == 2 }
        let ready = entries.filter { $0.state == "ready" }
        let areUnused = ready.allSatisfy { $0.servedFor == "nobody yet" && $0.callsServed == 0 }
        #expect(ready.count == 2 && areUnused, "\(ready)")
        let next = try #require(ready.first?.processID)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask {
                    #expect(Self.code(await host.call("echo", "{\"n\":\(number)}")) == "{\"n\":\(number)}")
                }
            }
        }
        let served = try host.entries("call").compactMap { $0["instance"]?.stringValue }
        #expect(served.count == 25 && Set(served).count == 25, "a process served two calls: \(served.sorted())")
        _ = await host.ledger { entries in entries.count == 2 && entries.allSatisfy { $0.state == "ready" } }
        #expect(!isAlive(next))
        // A call that fails, and one that is given up, end their processes too.
        #expect(Self.code(await host.call("crash")).hasPrefix("plugin-failed"))
        #expect(Self.code(await host.call("sleep", "{\"ms\":60000}", milliseconds: 50)).hasPrefix("deadline-exceeded"))
        let left = await host.ledger { entries in entries.allSatisfy { $0.callsOpen == 0 && $0.state != "busy" } }
        #expect(left.allSatisfy { $0.servedFor == "nobody yet" || $0.state == "ending" }, "\(left)")
        await host.supervisor.shutDown()
        #expect(await host.supervisor.ledger() == [])
    }

    @Test func whenTheBudgetIsUsedUpTheIdleGiveWayAndTheBusyStay() async throws {
        let host = try JailedHost(budget: HostBudget(processes: 1, memoryBytes: .max))
        try host.install(JailedHost.bundle("first", tools: ["echo", "sleep"]))
        try host.install(JailedHost.bundle("second", tools: ["environment"]))
        #expect(Self.code(await host.call("echo")) == "{}")
        let evicted = try #require(await host.supervisor.ledger().first?.processID)
        #expect(Self.code(await host.call("environment")).contains("variables"))
        #expect(await host.supervisor.ledger().map(\.instance) == ["second#2"])
        #expect(!isAlive(evicted))
        let busy = Task { await host.call("sleep", "{\"ms\":60000}") }
        _ = await host.ledger { $0.contains { $0.state == "busy" } }
        let refusal = Self.code(await host.call("environment"))
        #expect(refusal.hasPrefix("unavailable: the plugin second was not started: the host's budget is used up"))
        busy.cancel()
        #expect(Self.code(await busy.value).hasPrefix("cancelled"))
        await host.supervisor.shutDown()
    }

    @Test func waitingEndsAtTheCallsDeadlineOrWhenTheCallerGoes() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle())
        let busy = Task { await host.call("sleep", "{\"ms\":60000}") }
        _ = await host.ledger { $0.contains { $0.state == "busy" } }
        #expect(
            Self.code(await host.call("echo", milliseconds: 20))
                == "deadline-exceeded: the plugin echo was busy until the call's deadline")
        for _ in 0..<20 {
            let waiting = Task { await host.call("echo") }
            waiting.cancel()
            #expect(Self.code(await waiting.value).hasPrefix("cancelled"))
        }
        busy.cancel()
        _ = await busy.value
        #expect(Self.code(await host.call("echo")) == "{}")
        #expect(await host.supervisor.ledger().first?.callsOpen == 0)
        await host.supervisor.shutDown()
    }

    @Test func aStoppedPluginIsGoneWhenStopReturnsAndComesBackWhenCalled() async throws {
        let host = try JailedHost()
        try host.install(JailedHost.bundle(isolation: "per-call"))
        try await host.supervisor.start("echo")
        let started = await host.ledger { $0.contains { $0.state == "ready" } }
        let process = try #require(started.first?.processID)
        try await host.supervisor.stop("echo")
        #expect(await host.supervisor.ledger() == [] && !isAlive(process))
        #expect(Self.code(await host.call("echo")) == "{}")
        await host.supervisor.shutDown()
        #expect(Self.code(await host.call("echo")) == "plugin-failed: nexusd is stopping")
    }

    /// echo gives up its call shortly before the deadline that `stop` tells it; the other one never ends its frame.
    @Test(arguments: [
        ("echo/bin/echo", "", "cancelled: echo cancelled: woken early"),
        ("rogue/bin/rogue", "half-frame", "plugin-failed: the plugin echo "),
    ])
    func aCallThatIsOpenAtAStopHasUntilItsDeadlineAndIsThenCancelled(
        program: String, mode: String, answer: String
    ) async throws {
        let host = try JailedHost()
        let bundle = try JailedHost.bundle(program: "fixture-plugins/\(program)", arguments: mode.isEmpty ? [] : [mode])
        try host.install(bundle)
        let open = Task { await host.call("sleep", "{\"ms\":60000}") }
        // Granted is not sent yet.
        while await host.supervisor.instances.values.first?.session.onlyCall == nil {
            try await Task.sleep(for: .milliseconds(1))
        }
        try await host.supervisor.stop("echo")
        // Its half frame ends with the stop, or with the silence behind it, whichever a busy machine sees first.
        let ended = Self.code(await open.value)
        #expect(ended.hasPrefix(answer), "\(ended)")
        #expect(await host.supervisor.ledger() == [])
        await host.supervisor.shutDown()
    }

    @Test func aPluginThatCannotStartFailsItsCallersAtOnceAndIsNotTriedForEver() async throws {
        let host = try JailedHost()
        try host.install(
            JailedHost.bundle(
                isolation: "per-call", program: "fixture-plugins/rogue/bin/rogue", arguments: ["exit-at-start"]))
        let answers = await withTaskGroup(of: String.self) { group in
            for _ in 0..<4 { group.addTask { Self.code(await host.call("echo", milliseconds: 50_000)) } }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(answers == Array(repeating: "plugin-failed: the plugin echo ended: exited with code 3", count: 4))
        #expect(await host.ledger { $0.isEmpty } == [])
        let failures = try host.entries("plugin").filter { $0["event"]?.stringValue == "failed" }
        #expect(failures.count == 4, "one start for each who waited")
        #expect(await host.supervisor.status(of: "echo").state == "failed")
        await host.supervisor.shutDown()
    }

    /// The wait is drawn from so much that it is never over while this runs.
    private static let patient = RestartPolicy.Limits(baseMilliseconds: 1 << 40, mostMilliseconds: 1 << 40)

    @Test(arguments: ["shared", "per-user", "per-call"])
    func callersOfAPluginThatHasToWaitAreToldHowLongAndNothingIsStarted(isolation: String) async throws {
        let host = try JailedHost(limits: Self.patient)
        try host.install(
            JailedHost.bundle(
                isolation: isolation, program: "fixture-plugins/rogue/bin/rogue", arguments: ["exit-at-start"]))
        for _ in 0..<2 { #expect(Self.code(await host.call("echo")).hasPrefix("plugin-failed")) }
        for _ in 0..<8 {
            let error = try #require(await host.call("echo").failure)
            #expect(error.code == .unavailable && error.retryable, "\(error)")
            #expect((error.retryAfterMilliseconds ?? 0) > 1_000)
            #expect(error.message.hasPrefix("the plugin echo starts again in "), "\(error.message)")
            #expect(error.message.hasSuffix("it failed: the plugin echo ended: exited with code 3"))
        }
        #expect(await host.ledger { $0.isEmpty } == [])
        #expect(try host.entries("plugin").filter { $0["event"]?.stringValue == "failed" }.count == 2)
        let status = await host.supervisor.status(of: "echo")
        #expect(status.state == "failed" && status.failures == 2)
        await host.supervisor.shutDown()
    }

    @Test func aParkedPluginStaysParkedWhenItIsStoppedAndAnotherVersionOfItIsNot() async throws {
        let host = try JailedHost(limits: RestartPolicy.Limits(failures: 2))
        try host.install(JailedHost.bundle(isolation: "per-user"))
        #expect(Self.code(await host.call("echo", as: 1)) == "{}")
        for _ in 0..<2 { #expect(Self.code(await host.call("crash")).hasPrefix("plugin-failed")) }
        // Where each has a process of his own, one who makes it fail takes it from nobody else.
        let alone = try #require(await host.call("echo").failure)
        #expect(alone.code == .unavailable && !alone.retryable, "\(alone)")
        #expect(alone.message.contains("is parked for root, for whom it failed 2 times within 60 s"), "\(alone)")
        #expect(alone.message.hasSuffix("killed by signal 6"), "\(alone)")
        #expect(await host.supervisor.status(of: "echo").state == "running")
        for _ in 0..<2 { #expect(Self.code(await host.call("crash", as: 2)).hasPrefix("plugin-failed")) }
        // What serves somebody else goes on, but no process follows it.
        #expect(Self.code(await host.call("echo", as: 1)) == "{}")
        #expect(await host.supervisor.status(of: "echo").state == "parked")
        for stops in [false, true] {
            if stops { try await host.supervisor.stop("echo") }
            let error = try #require(await host.call("echo").failure)
            #expect(error.code == .unavailable && !error.retryable && error.retryAfterMilliseconds == nil)
            #expect(error.message.hasPrefix("the plugin echo is parked"), "\(error.message)")
            #expect(await host.supervisor.status(of: "echo").state == "parked")
        }
        #expect(await host.supervisor.ledger() == [])
        try await host.supervisor.upgrade(try JailedHost.bundle(version: "2.0.0", note: "2"))
        #expect(Self.code(await host.call("echo")) == "{}")
        let status = await host.supervisor.status(of: "echo")
        #expect(status.state == "running" && status.failures == 0 && status.cause == nil)
        await host.supervisor.shutDown()
    }

    @Test func whatAnAdminWantsStartsOnceTheBudgetHasRoom() async throws {
        let host = try JailedHost(budget: HostBudget(processes: 1, memoryBytes: 32 << 30))
        try host.install(JailedHost.bundle())
        try host.install(JailedHost.bundle("other", tools: ["other_echo"]))
        try await host.supervisor.start("echo")
        do throws(HostError) {
            try await host.supervisor.start("other")
            Issue.record("there was no room")
        } catch {
            #expect(error.code == .unavailable && error.message.hasSuffix("; it starts once there is room"), "\(error)")
        }
        try await host.supervisor.stop("echo")
        // Nobody calls.
        let entries = await host.ledger { $0.map(\.plugin) == ["other"] && $0.first?.state == "ready" }
        #expect(entries.map(\.plugin) == ["other"])
        await host.supervisor.shutDown()
    }
}
