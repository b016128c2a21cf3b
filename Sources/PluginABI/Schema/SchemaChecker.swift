internal import JSONBytes

/// Is this a schema that we can hold values to?
enum SchemaChecker {
    static func check(_ schema: JSONValue, path: String, depth: Int) throws(JSONSchema.Defect) {
        if schema.boolValue != nil { return }
        guard let object = schema.objectValue else { throw defect(path, "a schema is an object or a boolean") }
        guard depth < JSONSchema.depthLimit else { throw defect(path, "nested deeper than \(JSONSchema.depthLimit)") }
        for (keyword, value) in object.members {
            let here = "\(path).\(shown(keyword))"
            if JSONSchema.annotations.contains(keyword) { continue }
            if JSONSchema.assertions.contains(keyword) {
                try checkAssertion(keyword, value, path: here)
            } else if JSONSchema.oneSchema.contains(keyword) {
                try check(value, path: here, depth: depth + 1)
            } else if JSONSchema.manySchemas.contains(keyword) {
                guard let list = value.arrayValue, !list.isEmpty else {
                    throw defect(here, "must be a non-empty array")
                }
                for (position, item) in list.enumerated() {
                    try check(item, path: "\(here)[\(position)]", depth: depth + 1)
                }
            } else if JSONSchema.namedSchemas.contains(keyword) {
                guard let members = value.objectValue?.members else { throw defect(here, "must be an object") }
                for member in members {
                    try check(member.value, path: "\(here).\(shown(member.key))", depth: depth + 1)
                }
            } else {
                throw defect(here, "the JSON Schema keyword \(JSONValue.quoted(keyword)) is not supported")
            }
        }
    }

    private static func checkAssertion(_ keyword: String, _ value: JSONValue, path: String) throws(JSONSchema.Defect) {
        switch keyword {
        case "type":
            let names = value.stringValue.map { [$0] } ?? value.arrayValue?.map { $0.stringValue ?? "" } ?? []
            guard !names.isEmpty, names.allSatisfy(JSONSchema.types.contains) else {
                throw defect(path, "must name one or more of \(JSONSchema.types.sorted().joined(separator: ", "))")
            }
        case "enum":
            guard let list = value.arrayValue, !list.isEmpty else { throw defect(path, "must be a non-empty array") }
        case "const": break
        case "required":
            guard let list = value.arrayValue, list.allSatisfy({ $0.stringValue != nil }) else {
                throw defect(path, "must be an array of strings")
            }
        case "uniqueItems":
            guard value.boolValue != nil else { throw defect(path, "must be true or false") }
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
            guard value.numberValue?.double.isFinite == true else { throw defect(path, "must be a number") }
        default:
            guard let number = value.intValue, number >= 0 else { throw defect(path, "must be an integer from 0") }
        }
    }

    /// A name as people may see it: quoted where it is not plain, for it is a stranger's.
    static func shown(_ name: String) -> String {
        let isPlain = !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        return isPlain ? name : JSONValue.quoted(name)
    }

    private static func defect(_ path: String, _ reason: String) -> JSONSchema.Defect {
        JSONSchema.Defect(path: path, reason: reason)
    }
}
