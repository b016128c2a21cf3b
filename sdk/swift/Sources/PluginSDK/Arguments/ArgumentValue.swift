/// What `@Argument` may stand before: text, numbers, truth values, lists, enumerations of text, nested arguments, and
/// each of them as an optional. An enumeration joins with `enum Unit: String, CaseIterable, ArgumentValue`.
public protocol ArgumentValue: SendableMetatype {
    /// The JSON Schema of the type (JSON Schema 2020-12, the keywords of `JSONSchema`).
    ///
    /// - Throws: `ArgumentMistake` if the author's type cannot be described.
    static func argumentSchema(depth: Int) throws(ArgumentMistake) -> JSONObject
    /// What it means that the argument is absent; nil: it must be there.
    static var whenAbsent: Self? { get }
    /// Reads a value that fits the schema. `path` is a JSON Pointer (RFC 6901) for the error.
    ///
    /// - Throws: `invalid-arguments`.
    init(argument: JSONValue, at path: String) throws(ToolError)
    /// The value as JSON: for defaults and for results.
    ///
    /// - Throws: `plugin-failed` for a value that JSON cannot write.
    func jsonValue() throws(ToolError) -> JSONValue
}

/// A mistake in the declaration of a tool, told by `--describe`, by the harness, and to whoever calls the tool.
public struct ArgumentMistake: Error, Sendable, Equatable {
    public var message: String
}

/// Types whose `@Argument` takes `minLength:` and `maxLength:`, in characters.
public protocol TextArgument: ArgumentValue {}
/// Types whose `@Argument` takes `minItems:` and `maxItems:`.
public protocol ListArgument: ArgumentValue {}
/// Types whose `@Argument` takes `in:`.
public protocol NumberArgument: ArgumentValue {
    associatedtype Number: Comparable, NumberArgument
}

extension ArgumentValue {
    public static var whenAbsent: Self? { nil }

    static func refused(_ path: String, _ expected: String, _ found: JSONValue) -> ToolError {
        ToolError(.invalidArguments, "\(path.isEmpty ? "/" : path): must be \(expected), found \(found.typeName)")
    }
}

extension String: TextArgument {
    public static func argumentSchema(depth: Int) -> JSONObject { JSONObject([("type", "string")]) }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let text = argument.stringValue else { throw Self.refused(path, "string", argument) }
        self = text
    }
    public func jsonValue() -> JSONValue { .string(self) }
}

extension Int: NumberArgument {
    public typealias Number = Int
    public static func argumentSchema(depth: Int) -> JSONObject { JSONObject([("type", "integer")]) }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let number = argument.intValue else {
            throw Self.refused(path, "an integer from \(Int.min) to \(Int.max)", argument)
        }
        self = number
    }
    public func jsonValue() -> JSONValue { JSONValue(self) }
}

extension Double: NumberArgument {
    public typealias Number = Double
    public static func argumentSchema(depth: Int) -> JSONObject { JSONObject([("type", "number")]) }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let number = argument.numberValue?.double, number.isFinite else {
            throw Self.refused(path, "a number that a double can hold", argument)
        }
        self = number
    }
    public func jsonValue() throws(ToolError) -> JSONValue {
        guard let number = JSONNumber(self) else { throw ToolError(.pluginFailed, "JSON has no way to write \(self)") }
        return .number(number)
    }
}

extension Bool: ArgumentValue {
    public static func argumentSchema(depth: Int) -> JSONObject { JSONObject([("type", "boolean")]) }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let flag = argument.boolValue else { throw Self.refused(path, "boolean", argument) }
        self = flag
    }
    public func jsonValue() -> JSONValue { .bool(self) }
}

/// Any JSON, unchecked.
extension JSONValue: ArgumentValue {
    public static func argumentSchema(depth: Int) -> JSONObject { JSONObject() }
    public init(argument: JSONValue, at path: String) { self = argument }
    public func jsonValue() -> JSONValue { self }
}

extension Array: ArgumentValue, ListArgument where Element: ArgumentValue {
    public static func argumentSchema(depth: Int) throws(ArgumentMistake) -> JSONObject {
        JSONObject([("type", "array"), ("items", .object(try Element.argumentSchema(depth: depth + 1)))])
    }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let items = argument.arrayValue else { throw Self.refused(path, "array", argument) }
        self = []
        reserveCapacity(items.count)
        for (position, item) in items.enumerated() {
            append(try Element(argument: item, at: "\(path)/\(position)"))
        }
    }
    public func jsonValue() throws(ToolError) -> JSONValue {
        var items: [JSONValue] = []
        for item in self { items.append(try item.jsonValue()) }
        return .array(items)
    }
}

extension Optional: ArgumentValue where Wrapped: ArgumentValue {
    public static var whenAbsent: Wrapped?? { .some(nil) }
    public static func argumentSchema(depth: Int) throws(ArgumentMistake) -> JSONObject {
        try Wrapped.argumentSchema(depth: depth)
    }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        self = .some(try Wrapped(argument: argument, at: path))
    }
    public func jsonValue() throws(ToolError) -> JSONValue { try self?.jsonValue() ?? .null }
}

extension Optional: TextArgument where Wrapped: TextArgument {}
extension Optional: ListArgument where Wrapped: ListArgument {}
extension Optional: NumberArgument where Wrapped: NumberArgument {
    public typealias Number = Wrapped.Number
}

extension ArgumentValue where Self: RawRepresentable & CaseIterable, RawValue == String {
    public static func argumentSchema(depth: Int) -> JSONObject {
        JSONObject([("type", "string"), ("enum", JSONValue(allCases.map(\.rawValue)))])
    }
    public init(argument: JSONValue, at path: String) throws(ToolError) {
        guard let value = argument.stringValue.flatMap(Self.init(rawValue:)) else {
            let known = Self.allCasesText
            throw ToolError(.invalidArguments, "\(path): must be one of \(known)")
        }
        self = value
    }
    public func jsonValue() -> JSONValue { .string(rawValue) }

    private static var allCasesText: String { allCases.map { JSONValue.quoted($0.rawValue) }.joined(separator: ", ") }
}
