/// The arguments of a tool as a type. Its `@Argument` properties are the members of the JSON object: reflection finds
/// them by name, once, when the first call comes, for the schema, and once in each call, for the values.
///
///     struct Greeting: ToolArguments {
///         @Argument("Whom to greet", minLength: 1) var name: String
///         init() {}
///     }
public protocol ToolArguments: ArgumentValue {
    init()
}

/// The arguments of a tool that takes none.
public struct NoArguments: ToolArguments {
    public init() {}
}

extension ToolArguments {
    public static func argumentSchema(depth: Int) throws(ArgumentMistake) -> JSONObject {
        try ArgumentShape.schema(of: Self(), depth: depth)
    }

    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let object = argument.objectValue else { throw Self.refused(path, "object", argument) }
        self.init()
        for (name, field) in ArgumentShape.fields(of: self) { try field.read(object[name], at: "\(path)/\(name)") }
    }

    public func jsonValue() throws(ToolError) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        for (name, field) in ArgumentShape.fields(of: self) {
            guard let value = try field.current() else {
                throw ToolError(.pluginFailed, "the property \"\(name)\" of \(Self.self) was never set")
            }
            // An absent optional stays absent, as its schema has it.
            if value != .null { members.append((name, value)) }
        }
        return .object(JSONObject(members))
    }
}

/// The properties of a value, by reflection.
enum ArgumentShape {
    /// What `JSONSchema` can hold, less a margin for lists in lists.
    private static let depthLimit = 8

    static func fields(of value: Any) -> [(name: String, field: any ArgumentField)] {
        Mirror(reflecting: value).children.compactMap { child in
            // The storage behind a wrapped property has its name with an underscore before it.
            guard let label = child.label, let field = child.value as? any ArgumentField else { return nil }
            return (String(label.dropFirst()), field)
        }
    }

    static func schema(of value: Any, depth: Int) throws(ArgumentMistake) -> JSONObject {
        let type = "\(Swift.type(of: value))"
        guard depth <= depthLimit else {
            throw ArgumentMistake(
                message: "\(type) is nested deeper than \(depthLimit); a type must not contain itself")
        }
        if let stray = Mirror(reflecting: value).children.first(where: { !($0.value is any ArgumentField) }) {
            throw ArgumentMistake(
                message: "the property \"\(stray.label ?? "")\" of \(type) is no @Argument; "
                    + "write @Argument before it, or make it computed")
        }
        var properties = JSONObject()
        var required: [String] = []
        for (name, field) in fields(of: value) {
            let schema = try field.schema(depth: depth + 1)
            try checkDefault(schema, "\(type).\(name)")
            properties[name] = .object(schema)
            if field.isRequired { required.append(name) }
        }
        var schema = JSONObject([("type", "object"), ("properties", .object(properties))])
        if !required.isEmpty { schema["required"] = JSONValue(required) }
        schema["additionalProperties"] = false
        return schema
    }

    private static func checkDefault(_ schema: JSONObject, _ name: String) throws(ArgumentMistake) {
        guard let value = schema["default"] else { return }
        let checked: JSONSchema
        do {
            checked = try JSONSchema(.object(schema))
        } catch {
            throw ArgumentMistake(message: "the schema of \(name) is refused at \(error.path): \(error.reason)")
        }
        guard let violation = checked.violations(in: value).first else { return }
        throw ArgumentMistake(message: "the default of \(name) breaks its own limits: it \(violation.reason)")
    }
}
