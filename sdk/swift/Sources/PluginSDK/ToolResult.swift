/// What a tool answers.
public struct ToolResult: Sendable, Equatable {
    public let value: JSONValue

    /// A JSON value that fits the tool's output schema.
    public static func json(_ value: JSONValue) -> ToolResult { ToolResult(value: value) }
}
