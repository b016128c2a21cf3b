import JSONBytes
import PluginABI
import Testing

@testable import nexus

struct SampleArgumentsTests {
    @Test(arguments: [
        #"{"type":"string","minLength":9}"#, #"{"type":"string","maxLength":2}"#, #"{"type":"integer","minimum":5}"#,
        #"{"type":"integer","maximum":-3}"#, #"{"enum":["x","y"]}"#, #"{"const":7}"#, #"{"type":"boolean"}"#,
        #"{"type":"array","items":{"type":"number"},"minItems":2}"#, #"{"type":"integer","exclusiveMinimum":4}"#,
        #"{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]}"#, #"{"type":"null"}"#,
    ])
    func theyFitTheirSchema(text: String) throws {
        let schema = try JSONValue(parsing: #"{"type":"object","properties":{"a":\#(text)},"required":["a"]}"#)
        let arguments = SampleArguments.object(for: schema)
        #expect(try JSONSchema(schema).violations(in: arguments).isEmpty, "\(arguments.text)")
    }

    @Test func onlyWhatIsRequiredIsShown() throws {
        let schema = try JSONValue(
            parsing:
                #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b"]}"#
        )
        #expect(SampleArguments.object(for: schema).text == #"{"b":"text"}"#)
    }

    @Test func wordsAreSafeToPasteIntoAShell() {
        #expect(SampleArguments.word("a/b-1.x") == "a/b-1.x")
        #expect(SampleArguments.word("a b") == "'a b'")
        #expect(SampleArguments.word("$(x)") == "'$(x)'")
        #expect(SampleArguments.quoted("it's") == #"'it'\''s'"#)
        #expect(SampleArguments.word("") == "''")
    }
}
