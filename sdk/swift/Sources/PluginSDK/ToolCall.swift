/// One call of a tool, valid until its handler returns.
///
/// Afterwards the object is an empty shell: its credentials are dropped and the host is out of reach, so that a handler
/// that keeps it cannot act on behalf of a caller who is gone.
public final class ToolCall {
    public let tool: String
    /// One object, which the host has held to the tool's input schema.
    public let arguments: JSONValue
    /// The same for the same request, also when the caller repeats it.
    public let requestID: String
    /// When the host stops waiting: Unix time in milliseconds.
    public let deadline: UInt64
    private let stream: UInt64
    private var credentials: [Credential]
    private var session: Session?

    init(_ call: Message.Call, arguments: JSONValue, stream: UInt64, session: Session) {
        tool = call.tool
        self.arguments = arguments
        requestID = call.requestID
        deadline = call.deadline
        credentials = call.credentials
        self.stream = stream
        self.session = session
    }

    /// Milliseconds left before the deadline; 0 once it has passed.
    public var remainingMilliseconds: UInt64 {
        let now = Clock.unixMilliseconds()
        return deadline > now ? deadline - now : 0
    }

    /// True once the host cancelled this call. To ask also reads what the host has sent meanwhile, so a long
    /// computation that asks now and then stays responsive.
    public var isCancelled: Bool { session?.isCancelled() ?? true }

    /// A credential of this call. It is overwritten when the call ends, provided that the handler keeps no reference.
    ///
    /// - Throws: `credential-missing`, naming the command that stores it.
    public func credential(_ name: String) throws(ToolError) -> SecretBytes {
        if let credential = credentials.first(where: { $0.name == name }) { return credential.value }
        guard let session else { throw Self.over }
        throw ToolError(
            .credentialMissing,
            "this call carries no credential \"\(name)\"; "
                + "store it with: nexus secret set \(session.plugin.name) \(name)")
    }

    /// Writes a line to the host's log of this plugin. Lines longer than the ABI allows are cut.
    public func log(_ level: Message.LogLevel, _ message: String) { session?.log(level, message, stream: stream) }

    /// Asks the host for a service on behalf of this call and waits for its answer.
    ///
    /// - Throws: the host's error; `cancelled`, `deadline-exceeded`, or `unavailable` if the session ended meanwhile.
    public func callHost(_ service: String, _ content: Message.Payload) throws(ToolError) -> Message.Payload {
        guard let session else { throw Self.over }
        return try session.callHost(service, content, parent: stream, deadline: deadline)
    }

    /// Ends the call's validity; what it held in confidence goes.
    func finish() {
        credentials.removeAll()
        session = nil
    }

    private static let over = ToolError(.unavailable, "the call is over; a ToolCall is valid until its handler returns")
}
