/// What plugin.json says of a tool beyond its name, its description and its schemas.
public struct ToolOptions: Sendable {
    public var title: String?
    /// The credentials that its calls carry, as declared under `permissions.credentials`.
    public var credentials: [String]
    /// The media type of the byte payload, such as `text/csv`.
    public var content: String?
    /// Hints for agents, such as `["readOnlyHint": true]`.
    public var annotations: JSONValue?
    /// For a tool that takes its arguments as JSON; that of a typed one follows from the type.
    public var inputSchema: JSONValue?
    /// For a tool that answers with JSON; that of a `ToolOutput` follows from the type.
    public var outputSchema: JSONValue?

    public init(
        title: String? = nil, credentials: [String] = [], content: String? = nil, annotations: JSONValue? = nil,
        inputSchema: JSONValue? = nil, outputSchema: JSONValue? = nil
    ) {
        self.title = title
        self.credentials = credentials
        self.content = content
        self.annotations = annotations
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
    }
}

/// One tool as the plugin offers it. A class: the type of an array of objects is ready in the standard library, that of
/// an array of structures is made by each plugin as it starts.
final class ToolDefinition {
    enum Handler {
        /// Runs on the thread of the session, to its end.
        case waiting((ToolCall) throws -> ToolResult)
        /// Starts work elsewhere, which ends with `ToolCall.finish`, and returns how to cancel that work.
        case concurrent((ToolCall) -> () -> Void)
    }

    let name: String
    let about: String
    let options: ToolOptions
    /// The schemas of a typed tool. Made where somebody asks, not at the start: reflection touches so much of the
    /// standard library that every plugin would keep three times the memory for it.
    let schemas: (() throws(ArgumentMistake) -> (input: JSONValue, output: JSONValue?))?
    let handler: Handler

    init(
        name: String, about: String, options: ToolOptions,
        schemas: (() throws(ArgumentMistake) -> (input: JSONValue, output: JSONValue?))? = nil, handler: Handler
    ) {
        self.name = name
        self.about = about
        self.options = options
        self.schemas = schemas
        self.handler = handler
    }

    var isConcurrent: Bool {
        if case .concurrent = handler { return true }
        return false
    }

    /// The options with the schemas of the types.
    func described() throws(ArgumentMistake) -> ToolOptions {
        guard let schemas = try schemas?() else { return options }
        var options = options
        options.inputSchema = schemas.input
        options.outputSchema = schemas.output ?? options.outputSchema
        return options
    }

    typealias Checks = (input: JSONSchema?, output: JSONSchema?)
    private var known: Checks?

    /// What calls are held to. Made once; one caller at a time.
    func checks() throws(ArgumentMistake) -> Checks {
        if let known { return known }
        let options = try described()
        let checks = (input: try checked(options.inputSchema), output: try checked(options.outputSchema))
        known = checks
        return checks
    }

    private func checked(_ schema: JSONValue?) throws(ArgumentMistake) -> JSONSchema? {
        guard let schema else { return nil }
        do {
            return try JSONSchema(schema)
        } catch {
            throw ArgumentMistake(message: "a schema of it is refused at \(error.path): \(error.reason)")
        }
    }

    /// Why the tool cannot be offered.
    var mistake: String? {
        do {
            let options = try described()
            for schema in [options.inputSchema, options.outputSchema] { _ = try checked(schema) }
            return nil
        } catch {
            return told(error)
        }
    }

    func told(_ mistake: ArgumentMistake) -> String { "the tool \"\(name)\" cannot be offered: \(mistake.message)" }

    /// The entry for plugin.json.
    var json: JSONValue {
        let options = (try? described()) ?? options
        var members: [(key: String, value: JSONValue)] = [("name", .string(name))]
        if let title = options.title { members.append(("title", .string(title))) }
        members.append(("description", .string(about)))
        members.append(("inputSchema", options.inputSchema ?? ["type": "object"]))
        if let schema = options.outputSchema { members.append(("outputSchema", schema)) }
        if let content = options.content { members.append(("content", .string(content))) }
        if let annotations = options.annotations { members.append(("annotations", annotations)) }
        if !options.credentials.isEmpty { members.append(("credentials", JSONValue(options.credentials))) }
        return .object(JSONObject(members))
    }
}
