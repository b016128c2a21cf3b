internal import JSONBytes

/// Holds one value to a checked schema. Messages say what to change: an agent reads them and tries again.
struct SchemaValidator {
    let limit: Int
    private(set) var violations: [JSONSchema.Violation] = []

    init(limit: Int) { self.limit = limit }

    mutating func validate(_ value: JSONValue, _ schema: JSONValue, path: String) {
        guard violations.count < limit else { return }
        if let allowed = schema.boolValue {
            if !allowed { report(path, "no value is allowed here") }
            return
        }
        guard let keywords = schema.objectValue else { return }
        guard checkType(value, keywords["type"], path) else { return }
        checkChoice(value, keywords, path)
        switch value {
        case .number(let number): checkNumber(number, keywords, path)
        case .string(let text): checkString(text, keywords, path)
        case .array(let items): checkArray(items, keywords, path)
        case .object(let object): checkObject(object, keywords, path)
        case .null, .bool: break
        }
        checkCombinations(value, keywords, path)
    }

    private func matches(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        var probe = SchemaValidator(limit: 1)
        probe.validate(value, schema, path: "")
        return probe.violations.isEmpty
    }

    private mutating func report(_ path: String, _ reason: String) {
        if violations.count < limit { violations.append(JSONSchema.Violation(path: path, reason: reason)) }
    }

    private mutating func checkType(_ value: JSONValue, _ keyword: JSONValue?, _ path: String) -> Bool {
        guard let keyword else { return true }
        let names = keyword.stringValue.map { [$0] } ?? keyword.arrayValue?.compactMap(\.stringValue) ?? []
        let actual = value.typeName
        if names.contains(actual) || (actual == "integer" && names.contains("number")) { return true }
        report(path, "must be \(names.joined(separator: " or ")), found \(actual)")
        return false
    }

    private mutating func checkChoice(_ value: JSONValue, _ keywords: JSONObject, _ path: String) {
        if let choices = keywords["enum"]?.arrayValue, !choices.contains(value) {
            report(path, "must be one of \(JSONValue.array(choices).text.prefix(500))")
        }
        if let constant = keywords["const"], constant != value { report(path, "must be \(constant.text.prefix(200))") }
    }

    private mutating func checkNumber(_ number: JSONNumber, _ keywords: JSONObject, _ path: String) {
        if let bound = keywords["minimum"]?.numberValue, number < bound { report(path, "must be at least \(bound)") }
        if let bound = keywords["maximum"]?.numberValue, number > bound { report(path, "must be at most \(bound)") }
        if let bound = keywords["exclusiveMinimum"]?.numberValue, number <= bound {
            report(path, "must be more than \(bound)")
        }
        if let bound = keywords["exclusiveMaximum"]?.numberValue, number >= bound {
            report(path, "must be less than \(bound)")
        }
    }

    private mutating func checkCount(
        _ count: Int, _ keywords: JSONObject, _ names: (minimum: String, maximum: String), _ unit: String,
        _ path: String
    ) {
        if let bound = keywords[names.minimum]?.intValue, count < bound {
            report(path, "must have at least \(bound) \(unit), found \(count)")
        }
        if let bound = keywords[names.maximum]?.intValue, count > bound {
            report(path, "must have at most \(bound) \(unit), found \(count)")
        }
    }

    private mutating func checkString(_ text: String, _ keywords: JSONObject, _ path: String) {
        checkCount(text.unicodeScalars.count, keywords, ("minLength", "maxLength"), "characters", path)
    }

    private mutating func checkArray(_ items: [JSONValue], _ keywords: JSONObject, _ path: String) {
        checkCount(items.count, keywords, ("minItems", "maxItems"), "items", path)
        if keywords["uniqueItems"]?.boolValue == true, Set(items).count != items.count {
            report(path, "must not repeat an item")
        }
        guard let schema = keywords["items"] else { return }
        for (position, item) in items.enumerated() { validate(item, schema, path: "\(path)/\(position)") }
    }

    private mutating func checkObject(_ object: JSONObject, _ keywords: JSONObject, _ path: String) {
        checkCount(object.count, keywords, ("minProperties", "maxProperties"), "members", path)
        for name in keywords["required"]?.arrayValue ?? [] {
            if let name = name.stringValue, object[name] == nil { report(path, "\"\(name)\" is required and missing") }
        }
        let properties = keywords["properties"]?.objectValue ?? JSONObject()
        for (name, value) in object.members {
            let here = "\(path)/\(Self.pointer(name))"
            if let schema = properties[name] {
                validate(value, schema, path: here)
            } else if let schema = keywords["additionalProperties"] {
                if schema.boolValue == false {
                    let known = properties.members.map(\.key).joined(separator: ", ")
                    report(here, "is not an argument of this tool; it takes: \(known.isEmpty ? "none" : known)")
                } else {
                    validate(value, schema, path: here)
                }
            }
        }
    }

    private mutating func checkCombinations(_ value: JSONValue, _ keywords: JSONObject, _ path: String) {
        for schema in keywords["allOf"]?.arrayValue ?? [] { validate(value, schema, path: path) }
        if let schemas = keywords["anyOf"]?.arrayValue, !schemas.contains(where: { matches(value, $0) }) {
            report(path, "must match at least one of the \(schemas.count) allowed forms")
        }
        if let schemas = keywords["oneOf"]?.arrayValue {
            let count = schemas.count { matches(value, $0) }
            if count != 1 {
                report(path, "must match exactly one of the \(schemas.count) allowed forms, matches \(count)")
            }
        }
        if let schema = keywords["not"], matches(value, schema) { report(path, "must not match the excluded form") }
    }

    /// Escapes a member name for a JSON Pointer (RFC 6901 section 3).
    private static func pointer(_ name: String) -> String {
        String(name.flatMap { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.prefix(80))
    }
}
