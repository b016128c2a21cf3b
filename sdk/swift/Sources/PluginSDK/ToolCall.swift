/// One call of a tool, valid until it has ended.
///
/// Afterwards the object is an empty shell: its credentials are overwritten and the host is out of reach, so that a
/// handler that keeps it cannot act on behalf of a caller who is gone.
public final class ToolCall: @unchecked Sendable {
    public let tool: String
    /// One object, which the host has held to the tool's input schema.
    public let arguments: JSONValue
    /// The same for the same request, also when the caller repeats it.
    public let requestID: String
    /// When the host stops waiting: Unix time in milliseconds.
    public let deadline: UInt64
    /// W3C Trace Context, as the host sent it. Requests to the host carry `traceparent` on.
    public let traceparent: String?
    public let tracestate: String?

    let stream: UInt64
    let session: Session
    private let credentials: [(name: String, box: CredentialBox)]
    // What follows is behind the session's lock.
    /// The same secrets for `scrubbed`, which must not wait for a handler that is just reading one.
    private var secrets: [Credential]
    var wasCancelled = false
    /// Bytes of `data` that may still be sent.
    var credit = ABILimits.initialCreditBytes
    var sendersWaiting: [Int: () -> Void] = [:]
    /// Sockets that came with answers, by their streams, until the tool has them.
    var sockets: [UInt64: ArrivedSocket] = [:]
    /// For a call that runs as a task.
    var cancelTask: (() -> Void)?

    init(_ call: Message.Call, stream: UInt64, session: Session) {
        tool = call.tool
        // The decoder has made sure that it is an object.
        arguments = (try? JSONValue(parsing: call.arguments)) ?? [:]
        requestID = call.requestID
        deadline = call.deadline
        traceparent = call.traceparent
        tracestate = call.tracestate
        credentials = call.credentials.map { ($0.name, CredentialBox($0.value)) }
        secrets = call.credentials
        self.stream = stream
        self.session = session
    }

    /// Milliseconds left before the deadline; 0 once it has passed.
    public var remainingMilliseconds: UInt64 {
        let now = Clock.unixMilliseconds()
        return deadline > now ? deadline - now : 0
    }

    /// True once the host cancelled this call. In a waiting tool, to ask also reads what the host has sent meanwhile,
    /// so a long computation that asks now and then stays responsive.
    public var isCancelled: Bool { session.isCancelled(self) }

    /// A credential of this call. It is overwritten when the call ends.
    ///
    /// - Throws: `credential-missing`, naming the command that stores it.
    public func credential(_ name: String) throws(ToolError) -> CredentialValue { CredentialValue(try box(name)) }

    /// Whether this call carries a credential. One that plugin.json declares as sealed is in no call: name it in
    /// `HTTPRequest.sealed` instead.
    public func carries(_ name: String) -> Bool { credentials.contains { $0.name == name } }

    func box(_ name: String) throws(ToolError) -> CredentialBox {
        guard session.guarded({ session.calls[stream] === self }) else { throw .over }
        if let credential = credentials.first(where: { $0.name == name }) { return credential.box }
        throw ToolError(
            .credentialMissing,
            "this call carries no credential \"\(name)\"; "
                + "store it with: nexus secret set \(session.plugin.name) \(name)")
    }

    /// Writes a record to the host's log of this call; `fields` is an object of named values beside the message. What
    /// is longer than the ABI allows is cut, and a credential of the call in the message is replaced by its name.
    public func log(_ level: Message.LogLevel, _ message: String, _ fields: JSONValue = [:]) {
        session.log(level, scrubbed(message), fields, stream: stream)
    }

    /// Says how far the call is, in units of your choice. `done` does not fall.
    public func progress(_ done: UInt64, of total: UInt64? = nil, _ message: String? = nil) {
        session.progress(Message.Progress(done: done, total: total, message: message.map(scrubbed)), of: self)
    }

    /// Text that may quote a credential of this call, such as an error's, without it (abi-v1.md, ABI-9.5). The caller
    /// does not hold the session's lock.
    func scrubbed(_ text: String) -> String {
        session.guarded { secrets }.reduce(text) { text, secret in
            text.replacing(secret.value, by: "<credential \(secret.name)>")
        }
    }

    /// The arguments as the tool's type.
    func read<Arguments: ToolArguments>() throws(ToolError) -> Arguments {
        let schema = try session.plugin.schemas(of: tool).input
        if let violation = schema?.violations(in: arguments).first {
            throw ToolError(.invalidArguments, violation.description)
        }
        return try Arguments(argument: arguments, at: "")
    }

    /// What its handler answered, held to the tool's output schema.
    ///
    /// - Throws: `plugin-failed` if it does not fit.
    func checked(_ result: ToolResult) throws(ToolError) -> ToolResult {
        let violations = try session.plugin.schemas(of: tool).output?.violations(in: result.value) ?? []
        guard violations.isEmpty else {
            throw ToolError(
                .pluginFailed,
                "the result does not fit the outputSchema (MAN-6.3): "
                    + violations.map(\.description).joined(separator: "; ")
                    + "; correct the handler or the schema")
        }
        return result
    }

    /// Ends the call as its handler did.
    func finish(_ outcome: Result<ToolResult, any Error>) { session.finish(self, outcome) }

    /// The call is over; what it held in confidence goes.
    func close() {
        for credential in credentials { credential.box.wipe() }
        secrets = []
        sockets = [:]
        cancelTask = nil
    }
}

extension ToolCall: CustomReflectable {
    public var customMirror: Mirror { Mirror(self, children: ["tool": tool, "requestID": requestID]) }
}
