/// A scenario that is being played: a host with the probe in it, and the questions that checks ask.
struct HostStage: Sendable {
    let host: any HostUnderTest
    let plugin: HostPlugin
    let neighbour: HostPlugin?
    /// What its manifest gives as arguments.
    let arguments: [String]
    /// By how much everything may take longer than the specification says: 1 for a judgement, more where the machine is
    /// busy and only the rules are of interest.
    let slack: Double
    /// The name ends the tools' names, so that no two plugins have the same tool.
    static func tool(_ name: String, of plugin: String) -> String { "\(name)_\(plugin)" }

    // MARK: acts

    func call(
        _ tool: String, _ arguments: String = "{}", cancelAfter: Int? = nil, deadline: Int? = nil,
        of other: HostPlugin? = nil
    ) async -> HostAnswer {
        let name = other?.name ?? plugin.name
        var call = HostToolCall(plugin: name, tool: Self.tool(tool, of: name), arguments: Array(arguments.utf8))
        call.cancelAfterMilliseconds = cancelAfter
        call.deadlineMilliseconds = deadline
        return await host.call(call)
    }

    func start() async -> HostAnswer { await host.start(plugin.name) }

    func state() async -> HostPluginState { await host.state(of: plugin.name) }

    /// The result of a tool that must work.
    func result(_ tool: String, _ arguments: String = "{}", _ why: String = "") async throws(HostFinding) -> [UInt8] {
        switch await call(tool, arguments) {
        case .result(let json, _): return json
        case .failure(let code, let message, _):
            throw .failed(
                "\(why.isEmpty ? "a call that a good plugin answers" : why) failed with \(code): \(message)",
                fix: "deliver what the plugin answers")
        }
    }

    /// What the probe has seen so far, by its tool `look`.
    func look(_ tool: String = "look", _ why: String = "") async throws(HostFinding) -> ProbeReport {
        guard let report = ProbeReport(try await result(tool, "{}", why)) else {
            throw .failed("the probe's report did not arrive as it was sent", fix: "pass results on as they are")
        }
        return report
    }

    /// The plugin's log once a line with these words is in it, or after 3 s.
    func log(with words: String) async -> [String] {
        var lines = await state().log
        let end = ContinuousClock.now + .seconds(3 * slack)
        while !lines.contains(where: { $0.contains(words) }), ContinuousClock.now < end {
            await pause(50)
            lines = await state().log
        }
        return lines
    }

    // MARK: judgements

    func expect(_ holds: Bool, _ why: @autoclosure () -> String, fix: String) throws(HostFinding) {
        if !holds { throw .failed(why(), fix: fix) }
    }

    /// The plugin must be reported as failed soon, and its process be gone.
    @discardableResult
    func expectFailure(within seconds: Double = 3) async throws(HostFinding) -> HostPluginState {
        var seen = await state()
        let end = ContinuousClock.now + .seconds(seconds * slack)
        while seen.state != "failed", ContinuousClock.now < end {
            await pause(20)
            seen = await state()
        }
        try expect(
            seen.state == "failed", "the session went on: its state is \(seen.state)",
            fix: "end the session (ABI-6.5) and keep the cause")
        try await expectGone(within: seconds)
        return seen
    }

    /// A call must fail, soon, with `plugin-failed`, and the plugin with it.
    @discardableResult
    func expectEnd(of tool: String = "act", within seconds: Double = 3) async throws(HostFinding) -> HostPluginState {
        let began = ContinuousClock.now
        let answer = await call(tool)
        let took = (ContinuousClock.now - began) / .seconds(1)
        guard case .failure(let code, let message, _) = answer else {
            throw .failed("the caller was given a result", fix: "refuse the frame and end the session")
        }
        try expect(
            took < seconds * slack, "the caller waited \(Int(took * 1_000)) ms for its error",
            fix: "judge what has arrived at once, and answer open calls when the session ends")
        try expect(
            code == "plugin-failed", "the caller's error is \(code): \(message)",
            fix: "answer every open call with plugin-failed (ABI-2.8)")
        return try await expectFailure(within: seconds)
    }

    /// The start must fail, soon.
    @discardableResult
    func expectFailedStart(within seconds: Double = 3) async throws(HostFinding) -> HostPluginState {
        let began = ContinuousClock.now
        let answer = await start()
        let took = (ContinuousClock.now - began) / .seconds(1)
        guard case .failure(_, let message, _) = answer else {
            throw .failed("the plugin counts as started", fix: "refuse it, with the cause")
        }
        try expect(
            took < seconds * slack, "the start took \(Int(took * 1_000)) ms to fail: \(message)", fix: "fail at once")
        return try await expectFailure()
    }

    /// Nothing of the plugin may run any more.
    func expectGone(within seconds: Double = 3) async throws(HostFinding) {
        let end = ContinuousClock.now + .seconds(seconds * slack)
        while processes() > 0, ContinuousClock.now < end { await pause(20) }
        try expect(
            processes() == 0, "\(processes()) processes of the plugin still run",
            fix: "kill the process and all that it started (ABI-6.5, ABI-2.9)")
    }

    /// The plugin must start.
    func expectRunning() async throws(HostFinding) {
        if case .failure(let code, let message, _) = await start() {
            throw .failed(
                "the plugin did not start: \(code): \(message)", fix: "start a plugin that does all it should")
        }
    }

    func expectAlive(_ why: String) async throws(HostFinding) {
        _ = try await result("look", "{}", why)
        let state = await state()
        try expect(state.state == "running", "\(why): the plugin is \(state.state)", fix: "let the session go on")
    }

    /// A check that is about the end of processes has to see them while they run.
    func expectVisible() throws(HostFinding) {
        if processes() == 0 { throw .skipped("the plugin's processes cannot be seen from here") }
    }

    /// Processes whose first argument is the probe's name.
    func processes() -> Int { Self.processes(named: plugin.name) }

    static func processes(named name: String) -> Int {
        HostFiles.names(in: "/proc").count { entry in
            guard entry.first?.isNumber == true else { return false }
            let words = HostFiles.read("/proc/\(entry)/cmdline", limit: 4_096).split(separator: 0, maxSplits: 2)
            return words.count > 1 && words[1].elementsEqual(name.utf8)
        }
    }

    func pause(_ milliseconds: Int) async { try? await Task.sleep(for: .milliseconds(milliseconds)) }
}
