internal import JSONBytes

/// Arguments that a tool's input schema takes, to be pasted and changed.
enum SampleArguments {
    static func object(for schema: JSONValue) -> JSONValue {
        let required = schema.list("required").compactMap(\.stringValue)
        let members = schema["properties"]?.objectValue?.members ?? []
        return .object(
            JSONObject(
                members.filter { required.contains($0.key) }.map {
                    (key: $0.key, value: value(for: $0.value))
                }))
    }

    private static func value(for schema: JSONValue) -> JSONValue {
        if let given = schema["const"] ?? schema.list("examples").first ?? schema["default"]
            ?? schema.list("enum").first
        {
            return given
        }
        let type = schema["type"]?.stringValue ?? schema.list("type").first?.stringValue
        switch type {
        case "string":
            let least = schema["minLength"]?.intValue ?? 0
            let most = schema["maxLength"]?.intValue ?? .max
            let text = "text"
            if most < text.count { return .string(String(text.prefix(most))) }
            return .string(text + String(repeating: "t", count: min(max(least - text.count, 0), 1_000)))
        case "integer", "number":
            let least =
                schema["minimum"]?.intValue ?? (schema["maximum"]?.intValue).map { min($0, 1) } ?? 1
            return JSONValue(max(least, (schema["exclusiveMinimum"]?.intValue).map { $0 + 1 } ?? least))
        case "boolean": return true
        case "array":
            let count = min(schema["minItems"]?.intValue ?? 0, 10)
            return .array(Array(repeating: value(for: schema["items"] ?? [:]), count: count))
        case "null": return .null
        default: return object(for: schema)
        }
    }

    /// A word for a POSIX shell, quoted where it must be.
    static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { plain.contains($0) } && !text.isEmpty
        return isPlain ? text : quoted(text)
    }
    private static let plain = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@".utf8)

    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
