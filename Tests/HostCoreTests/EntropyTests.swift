import Testing

@testable import HostCore

@Suite struct EntropyTests {
    @Test func hexReadsWhatItWritesAndNothingElse() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Hex.bytes(Hex.text(bytes)) == bytes)
        #expect(Hex.bytes("") == [])
        for bad in ["0", "0g", "０0", "0x00", " 00", "0\u{301}0", "--"] { #expect(Hex.bytes(bad) == nil, "\(bad)") }
    }

    @Test func randomBytesDiffer() {
        #expect(RandomBytes.make(32).count == 32)
        #expect(Set((0..<100).map { _ in Hex.text(RandomBytes.make(16)) }).count == 100)
    }
}
