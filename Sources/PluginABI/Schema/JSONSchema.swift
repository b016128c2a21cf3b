public import JSONBytes

/// The part of JSON Schema 2020-12 that tools may use. A keyword outside it is refused when the plugin is installed, so
/// that no constraint that an author wrote is silently ignored.
///
/// `pattern` is not among them: a regular expression from a plugin needs an engine of linear time.
public struct JSONSchema: Sendable {
    let root: JSONValue

    static let annotations: Set<String> = [
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly",
        "writeOnly", "format",
    ]
    static let assertions: Set<String> = [
        "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
        "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
    ]
    static let oneSchema: Set<String> = ["items", "additionalProperties", "not"]
    static let manySchemas: Set<String> = ["allOf", "anyOf", "oneOf"]
    static let namedSchemas: Set<String> = ["properties", "$defs"]
    static let types: Set<String> = ["null", "boolean", "integer", "number", "string", "array", "object"]
    static let depthLimit = 16

    /// What is wrong with a schema, and where (a JSON path that starts with a dot).
    public struct Defect: Error, Sendable, Equatable {
        public var path: String
        public var reason: String
    }

    /// One way in which a value breaks the schema; `path` is a JSON Pointer (RFC 6901) into the value.
    public struct Violation: Sendable, Equatable, CustomStringConvertible {
        public var path: String
        public var reason: String
        public var description: String { "\(path.isEmpty ? "/" : path): \(reason)" }
    }

    /// - Throws: `Defect` for a keyword that is unknown, unsupported or of the wrong type.
    public init(_ schema: JSONValue) throws(Defect) {
        root = schema
        try SchemaChecker.check(schema, path: "", depth: 0)
    }

    /// The violations of a value, at most `limit` of them; empty when it fits.
    public func violations(in value: JSONValue, limit: Int = 8) -> [Violation] {
        var validator = SchemaValidator(limit: limit)
        validator.validate(value, root, path: "")
        return validator.violations
    }
}
