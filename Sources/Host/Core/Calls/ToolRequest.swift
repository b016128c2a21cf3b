/// A call as it arrives from a surface.
public struct ToolRequest: Sendable {
    public var tool: String
    /// One JSON object, as the agent wrote it.
    public var arguments: [UInt8]
    public var presented: Presented
    /// How the request came: `mcp-http`, `mcp-stdio`, `api`.
    public var surface: String

    public init(tool: String, arguments: [UInt8], presented: Presented, surface: String) {
        self.tool = tool
        self.arguments = arguments
        self.presented = presented
        self.surface = surface
    }
}

/// A tool's answer: one JSON value, with no credential of the call in it.
public struct ToolResult: Sendable, Equatable {
    public var json: [UInt8]
    public var requestID: String
}
