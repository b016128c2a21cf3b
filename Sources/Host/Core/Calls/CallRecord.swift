internal import AuditLog
internal import JSONBytes
internal import Logging

/// What the logs and the metrics learn of one call, stage by stage. Arguments and results are not in it.
struct CallRecord {
    private static let logger = Logger(label: "nexus.calls")
    let requestID = Hex.text(RandomBytes.make(8))
    private let metrics: HostMetrics
    private var clock: StageClock
    private var meter: InstanceMeter?
    private let tool: String
    private let surface: String
    private let arrival = Clock.monotonicMilliseconds()
    private var intent: Int?
    private let stream: AnswerStream?
    /// Which trace the call belongs to, and its own span in it.
    let trace: TraceContext
    var caller: Caller?
    var plugin: String?
    var instance: String?
    var rule: String?
    var credentials: JSONValue?

    init(_ request: ToolRequest, metrics: HostMetrics = HostMetrics()) {
        self.metrics = metrics
        clock = StageClock(metrics)
        tool = request.tool.cut(to: 128)
        surface = request.surface
        stream = request.stream
        trace = TraceContext(continuing: request.traceparent, state: request.tracestate)
    }

    /// The call as its caller may name it.
    var identity: CallIdentity { CallIdentity(requestID: requestID, traceparent: "\(trace)") }

    /// The stage before ends here.
    mutating func enter(_ stage: CallStage) { clock.enter(stage) }

    /// The instance that serves the call.
    mutating func found(_ instance: PluginInstance) {
        self.instance = instance.id
        meter = instance.meter
    }

    /// - Throws: `auditFailed`: the call must not be made then.
    mutating func writeIntent(to audit: AuditLog) throws(HostError) {
        enter(.auditIntent)
        do {
            intent = try audit.append([("kind", "call")] + common)
        } catch {
            throw HostError(.auditFailed, "\(error.message); no call is made without it", retryable: true)
        }
    }

    mutating func writeOutcome(_ outcome: String, to audit: AuditLog) throws(HostError) {
        enter(.auditOutcome)
        try write("outcome", [("outcome", .string(outcome))], audit)
        count(outcome)
    }

    /// A failed call has an outcome; a call that was never made is a refusal, with all that is known of it.
    mutating func writeFailure(_ error: HostError, to audit: AuditLog) throws(HostError) {
        tell(error)
        enter(.auditOutcome)
        defer { count(error.code.rawValue) }
        guard error.code != .auditFailed else { return }
        let cause: [(String, JSONValue)] = [
            ("outcome", "error"), ("code", .string(error.code.rawValue)),
            ("reason", .string(error.message.cut(to: 1_000))),
        ]
        if intent != nil { try write("outcome", cause, audit) } else { try write("refused", common + cause, audit) }
    }

    private func write(_ kind: String, _ members: [(String, JSONValue)], _ audit: AuditLog) throws(HostError) {
        var entry: [(String, JSONValue)] = [("kind", .string(kind))]
        if let intent {
            entry += [
                ("request", .string(requestID)), ("intent", JSONValue(intent)), ("trace", .string("\(trace)")),
            ]
        }
        entry += members
        if let stream { entry.append(("bytes", JSONValue(stream.count))) }
        entry.append(("milliseconds", JSONValue(Int(clamping: Clock.monotonicMilliseconds() - arrival))))
        do {
            try audit.append(entry)
        } catch {
            // Whoever asks again would have it done twice.
            let message =
                intent == nil
                ? "\(error.message); no call is made without it"
                : "the call was made, and its outcome is not on record: \(error.message)"
            throw signed(HostError(.auditFailed, message, retryable: intent == nil))
        }
    }

    /// The error with the names of its call.
    func signed(_ error: HostError) -> HostError {
        var error = error
        error.call = identity
        return error
    }

    /// One line of nexusd's log; the words of the error are in the audit log and with the caller.
    private func tell(_ error: HostError) {
        Self.logger.info(
            "call failed",
            metadata: [
                "request": "\(requestID)", "trace": "\(trace.traceID)", "tool": "\(plugin == nil ? "" : tool)",
                "instance": "\(instance ?? "")", "stage": "\(clock.stage.rawValue)", "code": "\(error.code)",
            ])
    }

    private mutating func count(_ outcome: String) {
        let nanoseconds = clock.finish()
        metrics.called(plugin, plugin == nil ? nil : tool, outcome: outcome, nanoseconds: nanoseconds)
        if let inPlugin = clock.inPlugin { meter?.answered(after: inPlugin, failed: outcome != "ok") }
    }

    private var common: [(String, JSONValue)] {
        [
            ("request", .string(requestID)), ("trace", .string("\(trace)")), ("surface", .string(surface)),
            ("actor", JSONValue(caller?.actor)),
            ("principal", JSONValue(caller?.principal)), ("plugin", JSONValue(plugin)),
            ("instance", JSONValue(instance)),
            ("tool", .string(tool)), ("rule", JSONValue(rule)), ("credentials", credentials ?? .object(JSONObject())),
        ]
    }
}
