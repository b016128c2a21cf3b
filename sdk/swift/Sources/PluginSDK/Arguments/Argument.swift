/// One argument of a tool. The name in JSON is the property's; an initial value is the default, an optional may be
/// absent, anything else is required.
///
///     @Argument("Whom to greet", minLength: 1, maxLength: 80) var name: String
///     @Argument("How often", in: 1...10) var times: Int = 1
@propertyWrapper
public struct Argument<Value: ArgumentValue> {
    /// Shared only between the wrapper and the reflection that fills it, before a handler sees either.
    private final class Box {
        var value: Value?
        init(_ value: Value?) { self.value = value }
    }

    private var box: Box
    private let hasDefault: Bool
    private let about: String
    private let limits: [(key: String, value: JSONValue)]

    private init(default value: Value?, _ about: String, _ limits: [(key: String, value: JSONValue?)]) {
        box = Box(value)
        hasDefault = value != nil
        self.about = about
        self.limits = limits.compactMap { limit in limit.value.map { (limit.key, $0) } }
    }

    public var wrappedValue: Value {
        get {
            guard let value = box.value ?? Value.whenAbsent else {
                preconditionFailure("this argument has no value: nobody has set it, and no call has brought it")
            }
            return value
        }
        set { box = Box(newValue) }
    }

    public init(_ about: String = "") { self.init(default: nil, about, []) }
    public init(wrappedValue: Value, _ about: String = "") { self.init(default: wrappedValue, about, []) }
}

extension Argument: @unchecked Sendable where Value: Sendable {}

/// A member of a tool's result, declared as its arguments are.
public typealias Output = Argument

extension Argument where Value: TextArgument {
    /// - Parameters: Lengths in Unicode scalars, both included.
    public init(_ about: String = "", minLength: Int? = nil, maxLength: Int? = nil) {
        self.init(default: nil, about, Self.limits("minLength", minLength, "maxLength", maxLength))
    }
    public init(wrappedValue: Value, _ about: String = "", minLength: Int? = nil, maxLength: Int? = nil) {
        self.init(default: wrappedValue, about, Self.limits("minLength", minLength, "maxLength", maxLength))
    }
}

extension Argument where Value: ListArgument {
    public init(_ about: String = "", minItems: Int? = nil, maxItems: Int? = nil) {
        self.init(default: nil, about, Self.limits("minItems", minItems, "maxItems", maxItems))
    }
    public init(wrappedValue: Value, _ about: String = "", minItems: Int? = nil, maxItems: Int? = nil) {
        self.init(default: wrappedValue, about, Self.limits("minItems", minItems, "maxItems", maxItems))
    }
}

extension Argument where Value: NumberArgument {
    public init(_ about: String = "", in range: ClosedRange<Value.Number>) {
        self.init(default: nil, about, Self.limits(range))
    }
    public init(wrappedValue: Value, _ about: String = "", in range: ClosedRange<Value.Number>) {
        self.init(default: wrappedValue, about, Self.limits(range))
    }

    private static func limits(_ range: ClosedRange<Value.Number>) -> [(key: String, value: JSONValue?)] {
        [("minimum", try? range.lowerBound.jsonValue()), ("maximum", try? range.upperBound.jsonValue())]
    }
}

extension Argument {
    private static func limits(
        _ low: String, _ minimum: Int?, _ high: String, _ maximum: Int?
    ) -> [(key: String, value: JSONValue?)] {
        [(low, minimum.map { JSONValue($0) }), (high, maximum.map { JSONValue($0) })]
    }
}

/// What reflection sees of an `Argument`, whatever its type.
protocol ArgumentField {
    var isRequired: Bool { get }
    func schema(depth: Int) throws(ArgumentMistake) -> JSONObject
    /// Takes the value of one call; nil: it is absent.
    func read(_ json: JSONValue?, at path: String) throws(ToolError)
    /// The value that it has now; nil if none was set.
    func current() throws(ToolError) -> JSONValue?
}

extension Argument: ArgumentField {
    var isRequired: Bool { !hasDefault && Value.whenAbsent == nil }

    func schema(depth: Int) throws(ArgumentMistake) -> JSONObject {
        var schema = try Value.argumentSchema(depth: depth)
        if !about.isEmpty { schema["description"] = .string(about) }
        for limit in limits { schema[limit.key] = limit.value }
        // A default of nil is what an optional has anyway.
        if hasDefault, let value = try? current(), value != .null { schema["default"] = value }
        return schema
    }

    func read(_ json: JSONValue?, at path: String) throws(ToolError) {
        if let json {
            box.value = try Value(argument: json, at: path)
        } else if isRequired {
            throw ToolError(.invalidArguments, "\(path): is required and missing")
        }
    }

    func current() throws(ToolError) -> JSONValue? { try (box.value ?? Value.whenAbsent)?.jsonValue() }
}
