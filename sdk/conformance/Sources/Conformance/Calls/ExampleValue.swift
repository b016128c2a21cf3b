internal import JSONBytes
internal import PluginABI

/// Makes the smallest value that a JSON Schema allows, as far as one can be found without searching: what the author
/// wrote down (`examples`, `default`, `const`, `enum`) comes first.
enum ExampleValue {
    /// A value that fits, or nil where none was found; what is returned has been held to the schema.
    static func smallest(for schema: JSONValue) -> JSONValue? {
        guard let checked = try? JSONSchema(schema) else { return nil }
        return candidates(schema, depth: 0).first { checked.violations(in: $0, limit: 1).isEmpty }
    }

    /// A value that does not fit; nil for a schema that takes every object.
    static func unfit(for schema: JSONValue) -> JSONValue? {
        guard let checked = try? JSONSchema(schema) else { return nil }
        let wrong: [JSONValue] = [["conformance-unknown-argument": true], .object(JSONObject())] + retyped(schema)
        return wrong.first { !checked.violations(in: $0, limit: 1).isEmpty }
    }

    /// Every property with a value of another type.
    private static func retyped(_ schema: JSONValue) -> [JSONValue] {
        let properties = schema["properties"]?.objectValue?.members ?? []
        guard !properties.isEmpty else { return [] }
        let members = properties.map { (key: $0.key, value: $0.value["type"] == "array" ? JSONValue.bool(true) : [[]]) }
        return [.object(JSONObject(members))]
    }

    private static func candidates(_ schema: JSONValue, depth: Int) -> [JSONValue] {
        guard depth < 8, let keywords = schema.objectValue else { return [.object(JSONObject()), .null] }
        var found: [JSONValue] = keywords["examples"]?.arrayValue ?? []
        if let value = keywords["default"] { found.append(value) }
        if let value = keywords["const"] { found.append(value) }
        found += keywords["enum"]?.arrayValue ?? []
        for part in ["oneOf", "anyOf", "allOf"] {
            for alternative in keywords[part]?.arrayValue ?? [] {
                found += candidates(merged(keywords, alternative), depth: depth + 1)
            }
        }
        for type in types(keywords) { found += values(of: type, keywords, depth) }
        return found
    }

    /// A schema together with one of its alternatives.
    private static func merged(_ keywords: JSONObject, _ alternative: JSONValue) -> JSONValue {
        var object = keywords
        for part in ["oneOf", "anyOf", "allOf"] { object[part] = nil }
        for member in alternative.objectValue?.members ?? [] {
            if member.key == "properties", let own = object["properties"]?.objectValue?.members,
                let more = member.value.objectValue?.members
            {
                object["properties"] = .object(JSONObject(own + more))
            } else if member.key == "required", let own = object["required"]?.arrayValue {
                object["required"] = .array(own + (member.value.arrayValue ?? []))
            } else {
                object[member.key] = member.value
            }
        }
        return .object(object)
    }

    private static func types(_ keywords: JSONObject) -> [String] {
        if let type = keywords["type"]?.stringValue { return [type] }
        if let types = keywords["type"]?.arrayValue { return types.compactMap(\.stringValue) }
        return keywords["properties"] != nil ? ["object"] : ["object", "string", "integer", "array", "boolean", "null"]
    }

    private static func values(of type: String, _ keywords: JSONObject, _ depth: Int) -> [JSONValue] {
        switch type {
        case "null": [.null]
        case "boolean": [.bool(false), .bool(true)]
        case "string": strings(keywords)
        case "array": [array(keywords, depth)]
        case "object": [object(keywords, depth)]
        default: numbers(keywords, isInteger: type == "integer")
        }
    }

    private static func numbers(_ keywords: JSONObject, isInteger: Bool) -> [JSONValue] {
        var found: [JSONValue] = [0, 1]
        for name in ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"] {
            guard let bound = keywords[name]?.numberValue else { continue }
            if !isInteger { found.append(.number(bound)) }
            guard bound.double.magnitude < 1e15 else { continue }
            let whole = Int(bound.double)
            found += [JSONValue(whole), JSONValue(whole + 1), JSONValue(whole - 1)]
        }
        if !isInteger { found.append(JSONNumber(0.5).map { .number($0) } ?? 0) }
        return found
    }

    private static func strings(_ keywords: JSONObject) -> [JSONValue] {
        let least = Swift.min(keywords["minLength"]?.intValue ?? 0, 100_000)
        let ofFormat: [String: String] = [
            "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00:00Z", "email": "a@example.org",
            "uri": "https://example.org/", "uuid": "00000000-0000-4000-8000-000000000000", "ipv4": "192.0.2.1",
            "hostname": "example.org",
        ]
        var found: [JSONValue] = []
        if let text = keywords["format"]?.stringValue.flatMap({ ofFormat[$0] }) { found.append(.string(text)) }
        // One letter rather than none: few tools mean the empty text when they allow it.
        found.append(.string(String(repeating: "x", count: Swift.max(least, 1))))
        found.append(.string(String(repeating: "x", count: least)))
        return found
    }

    private static func array(_ keywords: JSONObject, _ depth: Int) -> JSONValue {
        let count = Swift.min(keywords["minItems"]?.intValue ?? 0, 1_000)
        let choices = candidates(keywords["items"] ?? .object(JSONObject()), depth: depth + 1)
        guard let item = choices.first else { return [] }
        let distinct = keywords["uniqueItems"]?.boolValue == true
        return .array((0..<count).map { distinct && $0 < choices.count ? choices[$0] : item })
    }

    private static func object(_ keywords: JSONObject, _ depth: Int) -> JSONValue {
        let properties = keywords["properties"]?.objectValue ?? JSONObject()
        var members: [(key: String, value: JSONValue)] = []
        for name in keywords["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            let schema = properties[name] ?? .object(JSONObject())
            guard let value = smallest(for: schema) ?? candidates(schema, depth: depth + 1).first else { continue }
            members.append((key: name, value: value))
        }
        return .object(JSONObject(members))
    }
}
