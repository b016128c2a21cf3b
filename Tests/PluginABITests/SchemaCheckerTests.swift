import JSONBytes
import PluginABI
import Testing

@Suite struct SchemaCheckerTests {
    private func defect(_ schema: String) throws -> String {
        do {
            _ = try JSONSchema(try JSONValue(parsing: schema))
            return "accepted"
        } catch let error as JSONSchema.Defect {
            return "\(error.path): \(error.reason)"
        }
    }

    @Test(arguments: [
        "pattern", "patternProperties", "propertyNames", "prefixItems", "contains", "if", "then", "else", "$ref",
        "$dynamicRef", "$anchor", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems",
        "multipleOf", "minContains", "maxContains", "additionalItems", "definitions", "nullable", "Type", "minlength",
    ])
    func anUnsupportedKeywordIsRefusedWithItsPath(_ keyword: String) throws {
        let schema = #"{"type":"object","properties":{"a":{"items":{"anyOf":[true,{"\#(keyword)":1}]}}}}"#
        #expect(
            try defect(schema)
                == ".properties.a.items.anyOf[1].\(keyword): the JSON Schema keyword \"\(keyword)\" is not supported")
    }

    @Test func wrongValuesOfKeywordsAreRefused() throws {
        let cases = [
            (
                #"{"type":"text"}"#,
                ".type: must name one or more of array, boolean, integer, null, number, object, string"
            ),
            (#"{"type":[]}"#, ".type: must name one or more of array, boolean, integer, null, number, object, string"),
            (#"{"enum":[]}"#, ".enum: must be a non-empty array"),
            (#"{"required":"a"}"#, ".required: must be an array of strings"),
            (#"{"required":[1]}"#, ".required: must be an array of strings"),
            (#"{"uniqueItems":1}"#, ".uniqueItems: must be true or false"),
            (#"{"minimum":"1"}"#, ".minimum: must be a number"),
            (#"{"maximum":1e999}"#, ".maximum: must be a number"),
            (#"{"minLength":-1}"#, ".minLength: must be an integer from 0"),
            (#"{"maxItems":1.5}"#, ".maxItems: must be an integer from 0"),
            (#"{"maxProperties":99999999999999999999}"#, ".maxProperties: must be an integer from 0"),
            (#"{"allOf":[]}"#, ".allOf: must be a non-empty array"),
            (#"{"oneOf":{}}"#, ".oneOf: must be a non-empty array"),
            (#"{"properties":[]}"#, ".properties: must be an object"),
            (#"{"items":[{}]}"#, ".items: a schema is an object or a boolean"),
            ("1", ": a schema is an object or a boolean"),
            (#"{"not":null}"#, ".not: a schema is an object or a boolean"),
        ]
        for (schema, reason) in cases { #expect(try defect(schema) == reason) }
    }

    @Test func annotationsAreAcceptedAndIgnored() throws {
        #expect(
            try defect(#"{"title":"t","description":"d","default":1,"examples":[1],"format":"email","$comment":"c"}"#)
                == "accepted")
    }

    @Test func schemasNestToAFixedDepth() throws {
        for depth in [15, 16, 25] {
            let schema = String(repeating: #"{"items":"#, count: depth) + "{}" + String(repeating: "}", count: depth)
            let expected = depth < 16 ? "accepted" : String(repeating: ".items", count: 16) + ": nested deeper than 16"
            #expect(try defect(schema) == expected)
        }
    }

    @Test func aKeywordCannotSendTerminalEscapes() throws {
        #expect(
            try defect(#"{"\u001b[2J":1}"#)
                == #"."\u001b[2J": the JSON Schema keyword "\u001b[2J" is not supported"#)
    }
}
