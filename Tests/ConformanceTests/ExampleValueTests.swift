import JSONBytes
import PluginABI
import Testing

@testable import Conformance

@Suite struct ExampleValueTests {
    @Test(arguments: [
        (#"{"type":"object"}"#, "{}"),
        (#"{"type":"object","properties":{"a":{"type":"integer","minimum":3}},"required":["a"]}"#, #"{"a":3}"#),
        (#"{"type":"object","properties":{"a":{"type":"number","exclusiveMinimum":3}},"required":["a"]}"#, #"{"a":4}"#),
        (#"{"type":"object","properties":{"a":{"type":"string","minLength":3}},"required":["a"]}"#, #"{"a":"xxx"}"#),
        (#"{"type":"object","properties":{"a":{"enum":["b","c"]}},"required":["a"]}"#, #"{"a":"b"}"#),
        (#"{"type":"object","properties":{"a":{"const":null}},"required":["a"]}"#, #"{"a":null}"#),
        (#"{"type":"object","properties":{"a":{"type":"string","default":"d"}},"required":["a"]}"#, #"{"a":"d"}"#),
        (#"{"type":"object","examples":[{"city":"Oslo"}]}"#, #"{"city":"Oslo"}"#),
        (#"{"type":"object","examples":["no object"]}"#, "{}"),
        (
            #"{"type":"object","required":["a"],"properties":{"a":{"type":"array","minItems":2,"uniqueItems":true,"#
                + #""items":{"type":"boolean"}}}}"#,
            #"{"a":[false,true]}"#
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"integer"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}"#,
            #"{"a":0}"#
        ),
    ])
    func theSmallestValueFits(_ schema: String, _ expected: String) throws {
        let value = ExampleValue.smallest(for: try JSONValue(parsing: schema))
        #expect(value?.text == expected)
    }

    @Test func whereNothingIsFoundNothingIsMadeUp() throws {
        let schema = try JSONValue(parsing: #"{"type":"object","not":{"type":"object"}}"#)
        #expect(ExampleValue.smallest(for: schema) == nil)
    }

    @Test(arguments: [
        #"{"type":"object","additionalProperties":false}"#, #"{"type":"object","required":["a"]}"#,
        #"{"type":"object","properties":{"a":{"type":"array"}}}"#,
    ])
    func aMisfitBreaksTheSchema(_ schema: String) throws {
        let value = try #require(ExampleValue.unfit(for: try JSONValue(parsing: schema)))
        #expect(try !JSONSchema(try JSONValue(parsing: schema)).violations(in: value).isEmpty)
    }

    @Test func aSchemaThatTakesEverythingHasNoMisfit() throws {
        #expect(ExampleValue.unfit(for: try JSONValue(parsing: #"{"type":"object"}"#)) == nil)
    }
}
