import JSONBytes
import Testing

@Suite struct JSONSliceTests {
    private func slice(_ path: [String], _ text: String) throws -> String? {
        try JSONSlice.bytes(at: path, in: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theBytesAreThoseOfTheDocument() throws {
        let text = #" { "a" : 0.10 , "params" : { "x" : "é" ,"arguments": { "n" : 1.50, "\u0061":[ 1,2 ] } } } "#
        #expect(try slice(["a"], text) == "0.10")
        #expect(try slice(["params", "arguments"], text) == #"{ "n" : 1.50, "\u0061":[ 1,2 ] }"#)
        #expect(try slice(["params", "arguments", "a"], text) == "[ 1,2 ]")
        #expect(try slice([], " 12 ") == "12")
    }

    @Test func whatIsNotThereIsNil() throws {
        #expect(try slice(["b"], #"{"a":1}"#) == nil)
        #expect(try slice(["a", "b"], #"{"a":1}"#) == nil)
        #expect(try slice(["a"], "{}") == nil)
        #expect(try slice(["a"], "[1]") == nil)
        #expect(try slice(["a"], #"{"b":{"a":1}}"#) == nil)
    }

    @Test func aSecondValueOfTheSameNameCannotBeSmuggledIn() {
        #expect(throws: JSONError.self) { try slice(["a"], #"{"a":1,"a":2}"#) }
        #expect(throws: JSONError.self) { try slice(["a"], #"{"a":1,"b":{"c":1,"c":2}}"#) }
    }

    @Test func troubleAfterTheSliceIsTroubleToo() {
        #expect(throws: JSONError.self) { try slice(["a"], #"{"a":1,"b":}"#) }
        #expect(throws: JSONError.self) { try slice(["a"], #"{"a":1} x"#) }
    }

    @Test func aLookAlikeNameIsNotTaken() throws {
        #expect(try slice(["e\u{301}"], #"{"\u00e9":1,"e\u0301":2}"#) == "2")
    }
}
