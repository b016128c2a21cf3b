/// What a plugin offers: its tools, and what it does when the host configures it.
///
/// Handlers of `tool` run one at a time on the thread of the session; while one waits for the host, further calls
/// queue up. Handlers of `asyncTool` run as tasks, several at once. What a handler throws becomes the error of its
/// call: a `ToolError` as it is, anything else as `plugin-failed`.
public final class Plugin {
    public typealias ToolHandler = (ToolCall) throws -> ToolResult

    /// As in plugin.json.
    public let name: String
    /// The plugin's log outside of calls.
    public let journal = PluginJournal()
    private(set) var tools: [ToolDefinition] = []
    /// Guards the schemas of the tools, which calls on any thread make where they are first needed.
    private let lock = Lock()
    private(set) var configurationHandler: ((JSONValue) throws -> Void)?
    /// Tools of one name, told when the session starts.
    private(set) var duplicates: [String] = []
    var connector: Connector?

    public init(name: String) { self.name = name }

    /// Offers a tool that reads its arguments from `ToolCall.arguments`.
    public func tool(
        _ name: String, _ about: String = "", options: ToolOptions = ToolOptions(), handler: @escaping ToolHandler
    ) {
        add(ToolDefinition(name: name, about: about, options: options, handler: .waiting(handler)))
    }

    /// Offers a tool with typed arguments.
    public func tool<Arguments: ToolArguments>(
        _ name: String, _ about: String = "", options: ToolOptions = ToolOptions(),
        handler: @escaping (Arguments, ToolCall) throws -> JSONValue
    ) {
        let run = { (call: ToolCall) in ToolResult.json(try handler(call.read(), call)) }
        add(name, about, options, Arguments.self, JSONValue.self, .waiting(run))
    }

    /// Offers a tool with typed arguments and a typed result.
    public func tool<Arguments: ToolArguments, Answer: ToolOutput>(
        _ name: String, _ about: String = "", options: ToolOptions = ToolOptions(),
        handler: @escaping (Arguments, ToolCall) throws -> Answer
    ) {
        let run = { (call: ToolCall) in try handler(call.read(), call).result() }
        add(name, about, options, Arguments.self, Answer.self, .waiting(run))
    }

    /// All mistakes of the author, those of types and schemas too: for `--describe` and for the harness. A plugin that
    /// runs tells of the latter when such a tool is called.
    package var mistakes: [String] { duplicates + tools.compactMap(\.mistake) }

    /// What a call's arguments and its result are held to; nil where the tool declares nothing.
    ///
    /// - Throws: `plugin-failed` with the mistake of the tool's author.
    func schemas(of name: String) throws(ToolError) -> ToolDefinition.Checks {
        guard let tool = definition(of: name) else { return (nil, nil) }
        return try lock.hold { () throws(ToolError) in
            do throws(ArgumentMistake) {
                return try tool.checks()
            } catch {
                throw ToolError(.pluginFailed, tool.told(error))
            }
        }
    }

    /// Called once, before the first call, with the configuration that the host sends; to throw is to refuse to start.
    public func onInitialize(_ handler: @escaping (JSONValue) throws -> Void) { configurationHandler = handler }

    /// `{"tools":[...]}`, as `--describe` prints it.
    package var description: JSONValue { ["tools": .array(tools.map(\.json))] }

    func add<Arguments: ToolArguments, Answer: ToolOutput>(
        _ name: String, _ about: String, _ options: ToolOptions, _: Arguments.Type, _: Answer.Type,
        _ handler: ToolDefinition.Handler
    ) {
        let schemas = { () throws(ArgumentMistake) in
            (input: JSONValue.object(try Arguments.argumentSchema(depth: 0)), output: try Answer.outputSchema())
        }
        add(ToolDefinition(name: name, about: about, options: options, schemas: schemas, handler: handler))
    }

    func add(_ tool: ToolDefinition) {
        if tools.contains(where: { $0.name == tool.name }) {
            duplicates.append("the tool \"\(tool.name)\" is registered twice; give one of them another name")
        }
        tools.append(tool)
    }
}
