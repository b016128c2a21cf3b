import JSONBytes
import Testing

@testable import nexus

struct JSONLayoutTests {
    @Test(arguments: [
        #"{"a":[1,2,{"b":null}],"c":{"d":{"e":"é\"\\"}},"f":[],"g":{}}"#, "[]", "\"x\"",
        "[[],[{}],1.50]",
    ])
    func layoutChangesNoValue(text: String) throws {
        let value = try JSONValue(parsing: text)
        #expect(try JSONValue(parsing: JSONLayout.text(value)) == value)
    }

    @Test func shortValuesStandOnOneLineAndLongOnesDoNot() throws {
        let short = try JSONValue(parsing: #"{"type":"string","minLength":1}"#)
        #expect(JSONLayout.text(short) == #"{ "type": "string", "minLength": 1 }"#)
        let long = try JSONValue(
            parsing: #"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#)
        #expect(
            JSONLayout.text(long, indent: 1) == """
                {
                    "type": "object",
                    "properties": {
                      "name": { "type": "string" }
                    },
                    "required": ["name"]
                  }
                """)
    }
}
