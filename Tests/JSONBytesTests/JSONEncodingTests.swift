import JSONBytes
import Testing

@Suite struct JSONEncodingTests {
    @Test func encodingIsCompactAndKeepsOrder() {
        let value: JSONValue = ["b": [1, nil, true, false], "a": ["x": "y"]]
        #expect(value.text == #"{"b":[1,null,true,false],"a":{"x":"y"}}"#)
        #expect(JSONValue.array([]).text == "[]")
        #expect(JSONValue.object(JSONObject()).text == "{}")
    }

    @Test func oneValueNeverSpansTwoLines() {
        let breaks: JSONValue = "\n\r\u{B}\u{C}\u{85}\u{2028}\u{2029}\r\n"
        #expect(breaks.text == #""\n\r\u000b\u000c\u0085\u2028\u2029\r\n""#)
        #expect(JSONValue.object(JSONObject([(key: "a\nb", value: 1)])).text == #"{"a\nb":1}"#)
    }

    @Test func terminalEscapesDoNotReachATerminal() {
        #expect(JSONValue.string("\u{1B}[2J\u{9B}31m\u{7F}\u{0}").text == #""\u001b[2J\u009b31m\u007f\u0000""#)
    }

    @Test func everyScalarSurvivesARoundTrip() throws {
        var text = ""
        for value in UInt32(0)...0x10FFFF where value < 0x3000 || value % 257 == 0 {
            if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
        let back = try JSONValue(parsing: JSONValue.string(text).encoded()).stringValue
        #expect(back?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }

    @Test func doublesAreWrittenAsJSON() throws {
        for double in [
            0.1, -0.0, 1e300, Double.leastNonzeroMagnitude, 1e16, 123_456_789.125, Double.greatestFiniteMagnitude,
        ] {
            let number = try #require(JSONNumber(double))
            #expect(try JSONValue(parsing: JSONValue.number(number).encoded()).numberValue?.double == double)
        }
    }
}
