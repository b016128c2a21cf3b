import Testing

@testable import HostCore

@Suite struct CutTextTests {
    @Test func textIsCutByScalarsAndNotByCharacters() {
        #expect("abcdef".cut(to: 3) == "abc")
        #expect("abc".cut(to: 3) == "abc")
        #expect("".cut(to: 3) == "")
        #expect("é𝄞x".cut(to: 2) == "é𝄞")
    }

    @Test func oneCharacterThatHidesAMillionScalarsIsCutToo() {
        let bloat = "e" + String(repeating: "\u{301}", count: 1_000_000)
        #expect(bloat.count == 1)
        #expect(bloat.cut(to: 64).unicodeScalars.count == 64)
    }
}
