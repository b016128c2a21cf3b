/// A call as it arrives from a surface.
public struct ToolRequest: Sendable {
    public var tool: String
    /// One JSON object, as the agent wrote it.
    public var arguments: [UInt8]
    public var presented: Presented
    /// How the request came: `mcp-http`, `mcp-stdio`, `api`.
    public var surface: String
    /// W3C Trace Context of the caller, not checked yet.
    public var traceparent: String?
    public var tracestate: String?
    /// How long the caller waits; nil, and anything longer, is `HostLimits.callMilliseconds`.
    public var milliseconds: UInt64?
    /// Is told how far the call is, in the order in which the plugin says so; it must not block.
    public var progress: (@Sendable (CallProgress) -> Void)?
    /// Takes the bytes of the answer as they come, of a tool that declares them. The result has none then.
    public var stream: AnswerStream?

    public init(
        tool: String, arguments: [UInt8], presented: Presented, surface: String, traceparent: String? = nil,
        tracestate: String? = nil, milliseconds: UInt64? = nil, progress: (@Sendable (CallProgress) -> Void)? = nil,
        stream: AnswerStream? = nil
    ) {
        self.tool = tool
        self.arguments = arguments
        self.presented = presented
        self.surface = surface
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.milliseconds = milliseconds
        self.progress = progress
        self.stream = stream
    }
}

/// A tool's answer: one JSON value, and bytes if the tool declares them; with no credential of the call in either.
public struct ToolResult: Sendable, Equatable {
    public var json: [UInt8]
    public var content: ToolContent?
    public var call: CallIdentity
    public var requestID: String { call.requestID }

    public init(json: [UInt8], content: ToolContent? = nil, call: CallIdentity) {
        self.json = json
        self.content = content
        self.call = call
    }
}

/// The byte payload of an answer.
public struct ToolContent: Sendable, Equatable {
    /// As the tool's manifest declares it.
    public var mediaType: String
    public var bytes: [UInt8]

    public init(mediaType: String, bytes: [UInt8]) {
        self.mediaType = mediaType
        self.bytes = bytes
    }

    /// The bytes as text, for text types whose bytes are UTF-8.
    public var text: String? {
        mediaType.hasPrefix("text/") || mediaType == "application/json" || mediaType.hasSuffix("+json")
            ? String(validating: bytes, as: UTF8.self) : nil
    }
}
