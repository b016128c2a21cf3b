internal import HostCore
internal import JSONBytes

/// What the agent called its call, to be told how far it is (MCP, "Progress"): a string or an integer.
struct MCPProgressToken: Equatable {
    let value: JSONValue

    /// The token of a request, nil when it asks for no progress. That two calls name the same one is no matter here:
    /// each call's notifications go with its own answer.
    static func of(_ message: MCPMessage.Request) throws(MCPFault) -> MCPProgressToken? {
        guard let token = try message.meta()["progressToken"] else { return nil }
        let isString = token.stringValue.map { $0.utf8.count <= MCPLimits.idBytes } ?? false
        guard isString || token.intValue != nil else {
            throw MCPFault(
                status: 400, .invalidParams,
                "_meta.progressToken must be an integer of 64 bits or a string of at most \(MCPLimits.idBytes) bytes")
        }
        return MCPProgressToken(value: token)
    }

    func notification(_ progress: CallProgress) -> [UInt8] {
        var params = JSONObject([(key: "progressToken", value: value)])
        params["progress"] = JSONValue(Int(clamping: progress.done))
        params["total"] = progress.total.map { JSONValue(Int(clamping: $0)) }
        params["message"] = progress.message.map { .string($0) }
        return MCPEvent.notification("notifications/progress", params)
    }
}

/// What goes to the agent next, and when: progress that rises, no more often than `MCPLimits.progressMilliseconds`, the
/// last one always, and then the answer.
struct ProgressPace<Answer> {
    enum Step {
        case progress(CallProgress)
        case answer(Answer)
        /// Until something happens; or until this time, if it is earlier.
        case wait(until: ContinuousClock.Instant?)
        case over
    }

    private var latest: CallProgress?
    private var highest: UInt64?
    private var answer: Answer?
    private var isOver = false
    private var notBefore: ContinuousClock.Instant?

    /// - Returns: whether there was nothing to send before.
    mutating func offer(_ progress: CallProgress) -> Bool {
        // MCP wants a rising value; what only repeats or falls (ABI-7.12 lets it) stays in the plugin's log.
        guard answer == nil, highest.map({ progress.done > $0 }) ?? true else { return false }
        defer { latest = progress }
        highest = progress.done
        return latest == nil
    }

    mutating func end(with answer: Answer) { self.answer = answer }

    /// The answer of a call that has told of nothing; nil while it may.
    var silentAnswer: Answer? { latest == nil ? answer : nil }
    var hasProgress: Bool { latest != nil }

    mutating func next(now: ContinuousClock.Instant) -> Step {
        if let latest, answer != nil || now >= notBefore ?? now {
            self.latest = nil
            notBefore = now + .milliseconds(MCPLimits.progressMilliseconds)
            return .progress(latest)
        }
        guard let answer else { return .wait(until: latest == nil ? nil : notBefore) }
        guard !isOver else { return .over }
        isOver = true
        return .answer(answer)
    }
}
