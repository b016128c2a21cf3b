import JSONBytes
import Testing

@Suite struct JSONValueTests {
    @Test func typeNamesAreThoseOfJSONSchema() throws {
        let names = try ["null", "true", "1", "1.0", "1.5", "\"\"", "[]", "{}"].map {
            try JSONValue(parsing: $0).typeName
        }
        #expect(names == ["null", "boolean", "integer", "integer", "number", "string", "array", "object"])
    }

    @Test func aValueAnswersOnlyAsItsOwnType() {
        let values: [JSONValue] = [nil, true, 1, "1", [1], ["a": 1]]
        #expect(values.map { $0.boolValue != nil } == [false, true, false, false, false, false])
        #expect(values.map { $0.intValue != nil } == [false, false, true, false, false, false])
        #expect(values.map { $0.stringValue != nil } == [false, false, false, true, false, false])
        #expect(values.map { $0.arrayValue != nil } == [false, false, false, false, true, false])
        #expect(values.map { $0.objectValue != nil } == [false, false, false, false, false, true])
        #expect(values.map { $0["a"] != nil } == [false, false, false, false, false, true])
    }

    @Test func stringsThatOnlyLookAlikeAreNotEqual() {
        #expect(JSONValue.string("\u{E9}") != JSONValue.string("e\u{301}"))
        #expect(JSONValue.string("K") != JSONValue.string("\u{212A}"), "the Kelvin sign is not the letter K")
    }

    @Test func equalValuesHashAlike() throws {
        let left = try JSONValue(parsing: #"{"a":1.0,"b":[1e2,"x"]}"#)
        let right = try JSONValue(parsing: #"{"b":[100,"x"],"a":1}"#)
        #expect(left == right)
        #expect(Set([left, right]).count == 1)
    }
}
