import JSONBytes
import PluginABI
import Testing

@Suite struct SchemaValidatorTests {
    private func violations(_ schema: String, _ value: String) throws -> [String] {
        try JSONSchema(JSONValue(parsing: schema)).violations(in: JSONValue(parsing: value)).map(\.description)
    }

    /// Schema, a value that fits, one that doesn't, and what is said of it.
    static let assertions: [(schema: String, good: String, bad: String, message: String)] = [
        (#"{"type":"integer"}"#, "1.0", "1.5", "/: must be integer, found number"),
        (#"{"type":"integer"}"#, "18446744073709551616", "\"1\"", "/: must be integer, found string"),
        (#"{"type":["string","null"]}"#, "null", "true", "/: must be string or null, found boolean"),
        (#"{"type":"number"}"#, "1", "[]", "/: must be number, found array"),
        (#"{"enum":["a",1]}"#, "1.0", "\"b\"", #"/: must be one of ["a",1]"#),
        (#"{"enum":["é"]}"#, #""\u00e9""#, #""e\u0301""#, #"/: must be one of ["é"]"#),
        (#"{"const":{"a":1,"b":2}}"#, #"{"b":2,"a":1}"#, #"{"a":1}"#, #"/: must be {"a":1,"b":2}"#),
        (#"{"const":9007199254740992}"#, "9007199254740992.0", "9007199254740993", "/: must be 9007199254740992"),
        (#"{"minimum":1}"#, "1", "0.99", "/: must be at least 1"),
        (
            #"{"maximum":9007199254740992}"#, "9007199254740992", "9007199254740993",
            "/: must be at most 9007199254740992"
        ),
        (#"{"exclusiveMinimum":0}"#, "1e-400", "0", "/: must be more than 0"),
        (#"{"exclusiveMaximum":1}"#, "0.9", "1.0", "/: must be less than 1"),
        (#"{"minLength":2}"#, #""ab""#, #""😀""#, "/: must have at least 2 characters, found 1"),
        (#"{"maxLength":1}"#, #""😀""#, #""e\u0301""#, "/: must have at most 1 characters, found 2"),
        (#"{"minItems":1}"#, "[0]", "[]", "/: must have at least 1 items, found 0"),
        (#"{"maxItems":1}"#, "[0]", "[0,0]", "/: must have at most 1 items, found 2"),
        (#"{"uniqueItems":true}"#, "[1,2]", "[1,1.0]", "/: must not repeat an item"),
        (
            #"{"uniqueItems":true}"#, #"["\u00e9","e\u0301"]"#, #"[{"a":1,"b":2},{"b":2,"a":1}]"#,
            "/: must not repeat an item"
        ),
        (#"{"minProperties":1}"#, #"{"a":1}"#, "{}", "/: must have at least 1 members, found 0"),
        (#"{"maxProperties":1}"#, #"{"a":1}"#, #"{"a":1,"b":2}"#, "/: must have at most 1 members, found 2"),
        (#"{"required":["a"]}"#, #"{"a":null}"#, "{}", "/: \"a\" is required and missing"),
        (#"{"items":{"type":"string"}}"#, #"["a"]"#, #"["a",1]"#, "/1: must be string, found integer"),
        (#"{"properties":{"a":false}}"#, "{}", #"{"a":1}"#, "/a: no value is allowed here"),
        (
            #"{"properties":{"a":true,"b":true},"additionalProperties":false}"#, #"{"a":1}"#, #"{"c":1}"#,
            "/c: is not an argument of this tool; it takes: a, b"
        ),
        (#"{"additionalProperties":false}"#, "{}", #"{"c":1}"#, "/c: is not an argument of this tool; it takes: none"),
        (
            #"{"additionalProperties":{"type":"string"}}"#, #"{"c":""}"#, #"{"c":1}"#,
            "/c: must be string, found integer"
        ),
        (#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, "2", "4", "/: must be at most 3"),
        (
            #"{"anyOf":[{"type":"string"},{"minimum":3}]}"#, "3", "2",
            "/: must match at least one of the 2 allowed forms"
        ),
        (
            #"{"oneOf":[{"minimum":1},{"minimum":3}]}"#, "2", "4",
            "/: must match exactly one of the 2 allowed forms, matches 2"
        ),
        (#"{"not":{"type":"null"}}"#, "1", "null", "/: must not match the excluded form"),
    ]

    @Test(arguments: assertions.indices)
    func eachAssertionHoldsAndSaysWhatToChange(_ index: Int) throws {
        let row = Self.assertions[index]
        #expect(try violations(row.schema, row.good) == [], "\(row.schema) takes \(row.good)")
        #expect(try violations(row.schema, row.bad) == [row.message], "\(row.schema) refuses \(row.bad)")
    }

    @Test func everyAssertionKeywordHasARow() throws {
        let keywords = [
            "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
            "maxLength",
            "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required", "items", "properties",
            "additionalProperties", "not", "allOf", "anyOf", "oneOf",
        ]
        for keyword in keywords {
            #expect(Self.assertions.contains { $0.schema.contains("\"\(keyword)\"") }, "\(keyword)")
        }
    }

    @Test func assertionsOfOtherTypesDoNotApply() throws {
        let schema = #"{"minLength":9,"minItems":9,"minProperties":9,"required":["a"],"items":false}"#
        #expect(try violations(schema, "1") == [])
        #expect(try violations(#"{"minimum":9}"#, "\"a\"") == [])
    }

    @Test func aLookAlikeArgumentIsNotTheDeclaredOne() throws {
        let schema = #"{"properties":{"\u00e9":{"type":"string"}},"additionalProperties":false}"#
        #expect(try violations(schema, #"{"\u00e9":"x"}"#) == [])
        #expect(try violations(schema, #"{"e\u0301":"x"}"#).count == 1)
    }

    @Test func manyDistinctItemsAreUnique() throws {
        let items = (0..<20_000).map { #"{"a":\#($0)}"# }.joined(separator: ",")
        #expect(try violations(#"{"uniqueItems":true}"#, "[\(items)]") == [])
    }
}
