internal import AuditLog
internal import JSONBytes

/// What the log learns of one call, stage by stage. Arguments and results are not in it.
struct CallRecord {
    let requestID = Hex.text(RandomBytes.make(8))
    private let tool: String
    private let surface: String
    private let arrival = Clock.unixMilliseconds()
    private var intent: Int?
    /// Which trace the call belongs to, and its own span in it.
    let trace: TraceContext
    var caller: Caller?
    var plugin: String?
    var instance: String?
    var rule: String?
    var credentials: JSONValue?

    init(_ request: ToolRequest) {
        tool = request.tool.cut(to: 128)
        surface = request.surface
        trace = TraceContext(continuing: request.traceparent, state: request.tracestate)
    }

    /// - Throws: `auditFailed`: the call must not be made then.
    mutating func writeIntent(to audit: AuditLog) throws(HostError) {
        do {
            intent = try audit.append([("kind", "call")] + common)
        } catch {
            throw HostError(.auditFailed, error.message, retryable: true)
        }
    }

    func writeOutcome(_ outcome: String, to audit: AuditLog) throws(HostError) {
        try write("outcome", [("outcome", .string(outcome))], audit)
    }

    /// A failed call has an outcome; a call that was never made is a refusal, with all that is known of it.
    func writeFailure(_ error: HostError, to audit: AuditLog) throws(HostError) {
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
        entry.append(("milliseconds", JSONValue(Int(clamping: Clock.unixMilliseconds() &- arrival))))
        do {
            try audit.append(entry)
        } catch {
            throw HostError(.auditFailed, error.message, retryable: true)
        }
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
