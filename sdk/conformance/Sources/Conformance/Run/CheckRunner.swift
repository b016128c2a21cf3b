/// Runs checks in their order and turns what stops them into outcomes.
///
/// A check that could not get to its point because the plugin broke another requirement is skipped and says which: the
/// failure is reported once, where it belongs. Should no check of that requirement fail, this one does.
struct CheckRunner {
    let plan: CallPlan
    let options: ConformanceRun.Options
    let start: () throws(StartFailure) -> StartedProgram

    static func checks(_ plan: CallPlan) -> [Check] {
        let all =
            HandshakeChecks.all + FrameChecks.all + LifecycleChecks.all + CallChecks.all + CancelChecks.all
            + StreamingChecks.all + ServiceChecks.all(plan) + StrictnessChecks.all + StoppingChecks.all
            + ManifestChecks.all + ThroughoutChecks.all
        return Check.Group.allCases.flatMap { group in all.filter { $0.group == group } }
    }

    private struct Blocked {
        var index: Int
        var requirement: String
        var why: String
        var remedy: String
    }

    /// Runs every check, also those that nobody asked for: what holds throughout is seen in all the others.
    ///
    /// - Parameter progress: called for what was asked for.
    func run(progress: (CheckResult) -> Void) -> [CheckResult] {
        let checks = Self.checks(plan)
        guard checks.contains(where: { isWanted($0.requirement) }) else { return [] }
        let notes = Notes()
        var results: [CheckResult] = []
        var blocked: [Blocked] = []
        var hopeless: (requirement: String, why: String)?
        for check in checks {
            let began = KitClock.monotonic()
            let context = CheckContext(plan: plan, limits: options.limits, notes: notes, start: start)
            var outcome = CheckOutcome.passed
            if let hopeless, notes.notes[check.requirement] == nil, check.requirement != hopeless.requirement {
                outcome = .skipped(reason: "needs \(hopeless.requirement), which is broken: \(hopeless.why)")
            } else {
                do throws(CheckStop) { try check.body(context) } catch {
                    if case .unreachable(let requirement, let why, let remedy) = error {
                        blocked.append(
                            Blocked(index: results.count, requirement: requirement, why: why, remedy: remedy))
                        // Without a hello nothing else can be found out, and each try costs its whole deadline.
                        if requirement == Rule.hello || requirement == Rule.notStdout { hopeless = (requirement, why) }
                    }
                    outcome = Self.outcome(error, transcript: context)
                }
            }
            context.finish()
            if case .failed(let why, let remedy, let transcript) = outcome, transcript.isEmpty {
                outcome = .failed(why: why, remedy: remedy, transcript: context.transcript)
            }
            let result = CheckResult(
                requirement: check.requirement, title: check.title, group: check.group.rawValue, outcome: outcome,
                milliseconds: KitClock.monotonic() - began)
            results.append(result)
            if isWanted(result.requirement) { progress(result) }
        }
        let settled = settle(results, blocked, progress)
        // What turned out to be another requirement's failure is still what became of the check that was asked for.
        return zip(checks, settled).filter { isWanted($0.requirement) || isWanted($1.requirement) }.map(\.1)
    }

    private func isWanted(_ requirement: String) -> Bool {
        options.only.isEmpty || options.only.contains { Self.names($0, requirement) }
    }

    /// `ABI-6` names ABI-6.1, not ABI-60.1; `ABI-7.1` names itself, not ABI-7.10.
    static func names(_ prefix: String, _ requirement: String) -> Bool {
        guard requirement.hasPrefix(prefix) else { return false }
        let rest = requirement.dropFirst(prefix.count)
        return rest.isEmpty || rest.first == "." || rest.first == "-"
    }

    private static func outcome(_ stop: CheckStop, transcript context: CheckContext) -> CheckOutcome {
        switch stop {
        case .failed(let why, let remedy): .failed(why: why, remedy: remedy, transcript: [])
        case .noted(let why, let remedy, let transcript): .failed(why: why, remedy: remedy, transcript: transcript)
        case .skipped(let reason): .skipped(reason: reason)
        case .unreachable(let requirement, let why, _):
            .skipped(reason: "needs \(requirement), which is broken: \(why)")
        }
    }

    private func settle(
        _ results: [CheckResult], _ blocked: [Blocked], _ progress: (CheckResult) -> Void
    ) -> [CheckResult] {
        var results = results
        for block in blocked {
            let asked = results[block.index].requirement
            let known = results.contains { $0.requirement == block.requirement && $0.isFailure }
            guard !known else { continue }
            results[block.index].outcome = .failed(
                why: "\(block.requirement) is broken on the way: \(block.why)", remedy: block.remedy, transcript: [])
            results[block.index].requirement = block.requirement
            if isWanted(asked) || isWanted(block.requirement) { progress(results[block.index]) }
        }
        return results
    }
}
