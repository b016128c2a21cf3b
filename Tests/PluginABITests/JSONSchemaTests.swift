import JSONBytes
import PluginABI
import Testing

@Suite struct JSONSchemaTests {
    @Test func violationsAreBounded() throws {
        let schema = try JSONSchema(JSONValue(parsing: #"{"items":{"type":"string"}}"#))
        let value = JSONValue.array(Array(repeating: 1, count: 100))
        #expect(schema.violations(in: value).count == 8)
        #expect(schema.violations(in: value, limit: 3).count == 3)
    }

    @Test func aViolationSaysWhereAndWhat() throws {
        let schema = try JSONSchema(JSONValue(parsing: #"{"properties":{"a/b":{"items":{"type":"string"}}}}"#))
        let violations = schema.violations(in: ["a/b": ["x", 1]])
        #expect(violations.map(\.description) == ["/a~1b/1: must be string, found integer"])
        #expect(
            try JSONSchema(["type": "object"]).violations(in: 1).map(\.description) == [
                "/: must be object, found integer"
            ])
    }
}
