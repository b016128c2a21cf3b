internal import PluginABI

/// One thing to find out. It begins with no process and ends with none.
struct Check: Sendable {
    let requirement: String
    let title: String
    let group: Group
    let body: @Sendable (CheckContext) throws(CheckStop) -> Void

    init(
        _ requirement: String, _ title: String, _ group: Group,
        _ body: @escaping @Sendable (CheckContext) throws(CheckStop) -> Void
    ) {
        self.requirement = requirement
        self.title = title
        self.group = group
        self.body = body
    }

    enum Group: String, CaseIterable, Sendable {
        case handshake, process, frames, lifecycle, calls, cancelling, streaming, services, credentials, manifest
        case throughout
    }
}

/// What a check may use: fresh processes, the plan of calls, the limits.
final class CheckContext {
    let plan: CallPlan
    let limits: KitLimits
    let notes: Notes
    private let start: () throws(StartFailure) -> StartedProgram
    private var talks: [PluginTalk] = []

    init(
        plan: CallPlan, limits: KitLimits, notes: Notes, start: @escaping () throws(StartFailure) -> StartedProgram
    ) {
        self.plan = plan
        self.limits = limits
        self.notes = notes
        self.start = start
    }

    /// A fresh process, taken to a state.
    func talk(at state: LifecycleState = .created) throws(CheckStop) -> PluginTalk {
        let started: StartedProgram
        do throws(StartFailure) { started = try start() } catch {
            throw .unreachable(
                requirement: Rule.hello, why: error.description, remedy: "repair the command or plugin.json")
        }
        let talk = PluginTalk(started, plan: plan, limits: limits, notes: notes)
        talks.append(talk)
        try talk.reach(state)
        return talk
    }

    /// Ends every process of this check.
    func finish() {
        for talk in talks { talk.finish() }
        if let last = talks.last { transcript = last.recent }
        talks = []
    }

    /// The frames of the last process, for a failure's explanation.
    private(set) var transcript: [String] = []

    /// The call to make where any will do.
    func quickCall() throws(CheckStop) -> PlannedCall {
        guard let call = plan.quick else { throw .skipped(reason: CallPlan.howToNameCalls) }
        return call
    }
}

extension PluginTalk {
    /// Fails the check unless `condition` comes true in time.
    func expect(
        _ what: String, fix: String, within milliseconds: Int? = nil, until condition: () -> Bool
    ) throws(CheckStop) {
        if try wait(milliseconds ?? limits.patience, until: condition) { return }
        throw .expected(what, found: found, fix: fix)
    }

    /// Fails the check unless the plugin ends the session with `abort` of this code, and then itself.
    ///
    /// - Throws: `unreachable` where the session ended without the word: that is a rule of its own (ABI-4.2).
    func expectAbort(_ code: ABIError.Code, after what: String) throws(CheckStop) {
        _ = try wait(limits.patience) { stateAborted != nil || tookItForGood }
        if tookItForGood { _ = try wait(limits.moment) { stateAborted != nil } }
        guard let abort = stateAborted else {
            guard isClosed else {
                throw .expected(
                    "abort \(code) after \(what)", found: found, fix: "answer what is refused with abort and its code")
            }
            let (why, fix) = ("no abort came after \(what): \(found)", "send abort with the code before you exit")
            note(Rule.refusals, why, fix: fix)
            throw .unreachable(requirement: Rule.refusals, why: why, remedy: fix)
        }
        notes.exercise(Rule.refusals)
        guard abort.code == code else {
            throw .expected(
                "abort \(code) after \(what)", found: "abort came with \(abort.code) (\(abort.message.prefix(120)))",
                fix: "use the code that the table of errors has for this")
        }
        let isKnown = notes.notes[Rule.refusals] != nil
        if programEnd(within: isKnown ? limits.moment : limits.patience) == nil, !isKnown {
            note(
                Rule.refusals, "after abort \(code) the process went on for \(limits.patience) ms",
                fix: "exit once abort is sent: the session is over")
        }
    }
}
