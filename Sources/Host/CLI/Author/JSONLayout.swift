internal import JSONBytes

/// JSON for people's files: two spaces a level, and short values on one line.
enum JSONLayout {
    private static let width = 88

    /// - Parameter indent: the level that the value stands on.
    static func text(_ value: JSONValue, indent: Int = 0) -> String {
        let short = spaced(value)
        if short.count + indent * 2 <= width, !holdsObjects(value) { return short }
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch value {
        case .array(let items) where !items.isEmpty:
            let lines = items.map { inner + text($0, indent: indent + 1) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let object) where !object.isEmpty:
            let lines = object.members.map {
                "\(inner)\(JSONValue.string($0.key).text): \(text($0.value, indent: indent + 1))"
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        default: return short
        }
    }

    /// On one line: `{ "a": 1, "b": [2, 3] }`.
    private static func spaced(_ value: JSONValue) -> String {
        switch value {
        case .array(let items): return "[" + items.map(spaced).joined(separator: ", ") + "]"
        case .object(let object) where object.isEmpty: return "{}"
        case .object(let object):
            let members = object.members.map { "\(JSONValue.string($0.key).text): \(spaced($0.value))" }
            return "{ " + members.joined(separator: ", ") + " }"
        default: return value.text
        }
    }

    private static func holdsObjects(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let items): items.contains { $0.objectValue != nil }
        case .object(let object): object.members.contains { $0.value.objectValue?.isEmpty == false }
        default: false
        }
    }
}
