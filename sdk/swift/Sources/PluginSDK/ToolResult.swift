/// What a tool answers.
public struct ToolResult: Sendable, Equatable {
    public let value: JSONValue
    /// Beside the JSON; what `ToolCall.send` wrote comes before them.
    public let bytes: [UInt8]

    public init(_ value: JSONValue, bytes: [UInt8] = []) {
        self.value = value
        self.bytes = bytes
    }

    /// Longer byte payloads travel as `data`, also where the host would take them in one frame.
    static let bytesInOneFrame = 64 << 10

    /// A JSON value that fits the tool's output schema.
    public static func json(_ value: JSONValue) -> ToolResult { ToolResult(value) }
}
