import JSONBytes
import Testing

@Suite struct JSONParserTests {
    private func refusal(_ text: String) -> JSONError? { refusal(Array(text.utf8)) }

    private func refusal(_ bytes: [UInt8], limits: JSONLimits = .standard) -> JSONError? {
        do {
            _ = try JSONValue(parsing: bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func aDocumentOfEveryTypeIsRead() throws {
        let value = try JSONValue(parsing: " {\"a\" : [null, true, false, -0.5e+3, \"x\"], \"b\":{}}\r\n\t")
        #expect(value["a"] == [nil, true, false, .number(try #require(JSONNumber(-500.0))), "x"])
        #expect(value["b"] == .object(JSONObject()))
    }

    @Test(arguments: [
        "", " ", "tru", "nul", "True", "NaN", "Infinity", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "0x10",
        "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}",
        "{\"a\" 1}", "{,}", "\"a", "'a'", "1 2", "[]]", "// c\n1", "[1]x", "\u{FEFF}1", "\u{A0}1", "{\"a\":1}{",
    ])
    func textThatIsNotJSONIsRefused(_ text: String) {
        #expect(refusal(text) != nil)
    }

    @Test func everyProperPrefixOfADocumentIsRefused() {
        let document = Array(#"{"name":"é😀\n\u00e9\ud83d\ude00","list":[1.50e3,{"deep":[null,true,false]}]}"#.utf8)
        #expect(refusal(document) == nil)
        for end in 0..<document.count { #expect(refusal(Array(document[..<end])) != nil, "prefix of \(end) bytes") }
    }

    @Test func nestingBombIsRefusedAtTheLimit() {
        let limit = JSONLimits.standard.depth
        #expect(refusal(String(repeating: "[", count: limit) + String(repeating: "]", count: limit)) == nil)
        for opening in ["[", "{\"a\":", "[{\"a\":"] {
            let bomb = String(repeating: opening, count: 100_000)
            #expect(refusal(bomb)?.message == "nested deeper than 64")
        }
    }

    @Test func siblingsDoNotCountAsDepth() {
        #expect(refusal("[" + String(repeating: "[[]],", count: 1_000) + "[]]") == nil)
    }

    @Test func duplicateNamesAreRefusedHoweverTheyAreSpelt() {
        #expect(refusal(#"{"a":1,"a":2}"#)?.message == "the name \"a\" appears twice")
        #expect(refusal(#"{"a":1,"\u0061":2}"#)?.message == "the name \"a\" appears twice")
        #expect(refusal(#"[{"":1,"":2}]"#)?.message == "the name \"\" appears twice")
        let many = (0..<50).map { "\"n\($0)\":0" }.joined(separator: ",")
        #expect(refusal("{\(many),\"n7\":1}")?.message == "the name \"n7\" appears twice")
    }

    @Test func namesThatOnlyLookAlikeAreDifferentNames() throws {
        // U+00E9 and e + U+0301: Swift's == calls them equal, every other JSON reader does not.
        let value = try JSONValue(parsing: #"{"\u00e9":1,"e\u0301":2}"#)
        #expect(value["\u{E9}"]?.intValue == 1)
        #expect(value["e\u{301}"]?.intValue == 2)
    }

    @Test func anErrorCarriesNoControlCharactersOfTheDocument() throws {
        let error = try #require(refusal(#"{"\u001b[2Ja\u202e":1,"\u001b[2Ja\u202e":2}"#))
        #expect(!error.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    }

    @Test func anErrorStaysShortWhateverTheName() throws {
        let name = "a" + String(repeating: "\u{301}", count: 100_000)
        let error = try #require(refusal("{\"\(name)\":1,\"\(name)\":2}"))
        #expect(error.description.utf8.count < 1_000)
    }

    @Test func anErrorSaysWhere() {
        #expect(refusal("[1,?]")?.offset == 3)
        #expect(refusal("[1,?]")?.description == "a value cannot start here (at byte 3)")
    }

    @Test func limitsOfSizeAndCountHoldExactly() {
        let limits = JSONLimits(bytes: 8, depth: 2, values: 4)
        #expect(refusal(Array("[1,2,3]".utf8), limits: limits) == nil)
        #expect(refusal(Array("[1,2,3] ".utf8), limits: limits) == nil)
        #expect(refusal(Array("[1,2,3]  ".utf8), limits: limits)?.offset == 0)
        #expect(refusal(Array("[1,2,3,4".utf8), limits: limits)?.message == "more than 4 values")
        #expect(refusal(Array("[[[]]]".utf8), limits: limits)?.message == "nested deeper than 2")
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix(state: 1)
        let alphabet = Array("{}[]:,\"\\u0123eE+-.truefalsn dD8\u{7F}\u{E9}\u{1F600}".utf8) + [0x00, 0xC0, 0xED, 0xFF]
        var accepted = 0
        for _ in 0..<100_000 {
            let length = Int(random.next() % 48)
            let bytes = (0..<length).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            accepted += 1
            // What was accepted survives a round trip.
            #expect((try? JSONValue(parsing: value.encoded())) == value)
        }
        #expect(accepted > 100)
    }

    @Test func aMutatedDocumentNeverTraps() {
        var random = SplitMix(state: 2)
        let document = Array(#"{"name":"é😀\n\ud83d\ude00","list":[1.50e3,{"deep":[null,true]}],"n":-0}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0...random.next() % 4 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if let value = try? JSONValue(parsing: bytes) {
                #expect((try? JSONValue(parsing: value.encoded())) == value)
            }
        }
    }
}
