import JSONBytes
import Testing

@Suite struct PrintableTextTests {
    @Test func escapeSequencesClipboardWritesAndForgedLinesBecomeText() {
        let attack = "a\u{1B}[2J\u{1B}]52;c;aGVsbG8=\u{7}\nseq 99 call\r\u{9B}31m\u{202E}evil\u{2028}b\u{FEFF}"
        let shown = attack.printable
        #expect(!shown.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
        #expect(!shown.unicodeScalars.contains("\u{202E}") && !shown.unicodeScalars.contains("\u{2028}"))
        #expect(shown.hasPrefix(#"a\u{1B}[2J\u{1B}]52;c;aGVsbG8=\u{7}\u{A}seq 99 call\u{D}\u{9B}31m"#))
    }

    @Test func plainTextOfAnyLanguageStaysAsItIs() {
        for text in ["", "plain", "Grüße, 这是测试币456 🚀 é", "tab-free \"quotes\" \\ backslash"] {
            #expect(text.printable == text)
        }
    }
}
