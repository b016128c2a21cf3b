import JSONBytes
import Testing

@Suite struct JSONParserStringsTests {
    private func read(_ text: String) throws -> String? { try JSONValue(parsing: text).stringValue }

    private func refused(_ bytes: [UInt8]) -> Bool {
        (try? JSONValue(parsing: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])) == nil
    }

    @Test func everyEscapeIsRead() throws {
        #expect(try read(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC""#) == "\"\\/\u{8}\u{C}\n\r\tAé€")
    }

    @Test func aSurrogatePairIsOneCharacter() throws {
        #expect(try read(#""\ud83d\ude00""#) == "😀")
        #expect(try read(#""\uD800\uDC00\uDBFF\uDFFF""#) == "\u{10000}\u{10FFFF}")
    }

    @Test(arguments: [
        #"\ud800"#, #"\udc00"#, #"\ud800x"#, #"\ud800\n"#, #"\ud800\ud800"#, #"\udc00\ud800"#, #"\ud83d\u0041"#,
        #"\ud83d\"#, #"\ud83d\u"#, #"\ud83d\ude0"#,
    ])
    func loneSurrogatesAreRefused(_ escape: String) {
        #expect(refused(Array(escape.utf8)))
    }

    @Test(arguments: [#"\x"#, #"\'"#, #"\u12"#, #"\u12g4"#, #"\U0041"#, #"\u+041"#, #"\u 041"#, "\\u１234", #"\"#])
    func unknownOrBrokenEscapesAreRefused(_ escape: String) {
        #expect(refused(Array(escape.utf8)))
    }

    @Test func everyRawControlCharacterIsRefused() {
        for byte in UInt8(0)..<0x20 {
            #expect(refused([byte]))
            #expect(refused(Array(#"\n"#.utf8) + [byte]), "after an escape")
        }
        #expect(!refused([0x7F]))
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF],
            [0xE2, 0x82], [0xF0, 0x80, 0x80, 0xAF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ] as [[UInt8]])
    func invalidUTF8IsRefusedWithAndWithoutEscapes(_ bytes: [UInt8]) {
        #expect(refused(bytes))
        #expect(refused(Array(#"\n"#.utf8) + bytes))
        #expect(refused(bytes + Array(#"\n"#.utf8)))
    }

    @Test func nulInAStringIsKept() throws {
        #expect(try read(#""a\u0000b""#)?.utf8.elementsEqual([0x61, 0, 0x62]) == true)
    }
}
