/// A run of every check against one kind of host.
public struct HostConformance: Sendable {
    private let driver: any HostDriver
    private let probe: [UInt8]
    private let checks: [HostCheck]
    private let scratch: String
    private let slack: Double

    /// - Parameters:
    ///   - probe: the path of the built probe.
    ///   - only: beginnings of requirements, such as `ABI-7`, or parts of titles; empty for every check.
    ///   - scratch: where the scenarios are written; each run removes its own.
    ///   - slack: by how much a host may take longer than the specification says; 1 for a judgement.
    /// - Throws: `HostDriverFailure` if there is no probe there.
    public init(
        driver: any HostDriver, probe: String, only: [String] = [], scratch: String = "/tmp", slack: Double = 1
    ) throws(HostDriverFailure) {
        self.slack = slack
        self.driver = driver
        self.scratch = scratch
        self.probe = HostFiles.read(probe)
        guard self.probe.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            throw HostDriverFailure("\(probe) is not the probe; build it from sdk/conformance/probe")
        }
        checks = HostCheck.all.filter { check in
            only.isEmpty || only.contains { check.requirement.hasPrefix($0) || check.title.contains($0) }
        }
    }

    /// Runs the checks, several at a time: most of them wait.
    ///
    /// - Parameter tell: called with each result, in the order in which they are known.
    /// - Returns: the results in the order of the document.
    public func run(
        atOnce width: Int = 8, tell: @Sendable (HostCheckResult) -> Void = { _ in }
    ) async throws(HostDriverFailure) -> [HostCheckResult] {
        let folder = try HostFiles.makeTemporaryFolder(in: scratch)
        defer { HostFiles.removeFolder(folder) }
        // Those that wait longest first, so that they wait side by side.
        let order = checks.indices.sorted { (checks[$0].patience, $1) > (checks[$1].patience, $0) }
        var results: [Int: HostCheckResult] = [:]
        await withTaskGroup(of: (Int, HostCheckResult).self) { group in
            // A check that sleeps costs nothing; only those that work count against the width.
            let gate = HostGate(width: width)
            for index in order {
                group.addTask { (index, await perform(checks[index], number: index, in: folder, gate)) }
            }
            for await (index, result) in group {
                results[index] = result
                tell(result)
            }
        }
        return checks.indices.compactMap { results[$0] }
    }

    private func perform(_ check: HostCheck, number: Int, in folder: String, _ gate: HostGate) async -> HostCheckResult
    {
        let isLight = check.patience > 0
        if !isLight { await gate.enter() }
        let began = ContinuousClock.now
        let outcome = await outcome(of: check, number: number, in: folder)
        if !isLight { await gate.leave() }
        return HostCheckResult(
            requirement: check.requirement, title: check.title, group: check.group, outcome: outcome,
            milliseconds: Int((ContinuousClock.now - began) / .milliseconds(1)))
    }

    private func outcome(of check: HostCheck, number: Int, in folder: String) async -> HostCheckResult.Outcome {
        do throws(HostDriverFailure) {
            let scenario = HostScenario(check, number: number, run: String(folder.suffix(6)))
            let plugins = try scenario.write(to: folder, probe: probe)
            let host = try await driver.open(plugins)
            let outcome: HostCheckResult.Outcome
            if let missing = check.needs.subtracting(host.abilities).map(\.rawValue).min() {
                outcome = .skipped(reason: "the driver cannot: \(missing)")
            } else {
                outcome = await judge(
                    check,
                    HostStage(
                        host: host, plugin: plugins[0], neighbour: plugins.dropFirst().first,
                        arguments: scenario.arguments, slack: slack))
            }
            await host.close()
            return outcome
        } catch {
            return .failed(why: "the host could not be brought up: \(error)", fix: "see the driver's own output")
        }
    }

    private func judge(_ check: HostCheck, _ stage: HostStage) async -> HostCheckResult.Outcome {
        do {
            try await check.judge(stage)
            return .passed
        } catch HostFinding.failed(let why, let fix) {
            return .failed(why: why, fix: fix)
        } catch HostFinding.skipped(let reason) {
            return .skipped(reason: reason)
        } catch {
            return .failed(why: "the check could not be made: \(error)", fix: "")
        }
    }
}

extension HostCheck {
    /// How long it waits for deadlines of the specification, in seconds.
    var patience: Int {
        let waits = ["start: hang": 30, "begin: hang": 10, "initialize: hang": 10, "act: hang": 10]
        if let seconds = steps.first.flatMap({ waits[$0] }) { return seconds }
        if title.hasSuffix("is killed") { return 10 }
        return steps.contains { $0.contains("sleep=") } ? 3 : 0
    }
}

/// Lets a number of tasks work at a time.
actor HostGate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(width: Int) { free = width }

    func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
