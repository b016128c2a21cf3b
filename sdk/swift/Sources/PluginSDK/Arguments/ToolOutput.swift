/// What a handler may answer: JSON, a `ToolResult` with bytes beside it, or a type of the author's own, whose schema
/// then describes the tool's results.
///
///     struct Greeted: ToolArguments, ToolOutput {
///         @Output("What was said") var greeting: String
///         init() {}
///     }
public protocol ToolOutput: SendableMetatype {
    /// - Throws: `ArgumentMistake` if the author's type cannot be described.
    static func outputSchema() throws(ArgumentMistake) -> JSONValue?
    /// - Throws: `plugin-failed` for what cannot be written as JSON.
    func result() throws(ToolError) -> ToolResult
}

extension ToolOutput where Self: ToolArguments {
    public static func outputSchema() throws(ArgumentMistake) -> JSONValue? { .object(try argumentSchema(depth: 0)) }
    public func result() throws(ToolError) -> ToolResult { .json(try jsonValue()) }
}

extension JSONValue: ToolOutput {
    public static func outputSchema() -> JSONValue? { nil }
    public func result() -> ToolResult { .json(self) }
}

extension ToolResult: ToolOutput {
    public static func outputSchema() -> JSONValue? { nil }
    public func result() -> ToolResult { self }
}
