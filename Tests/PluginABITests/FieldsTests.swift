import PluginABI
import Testing

@Suite struct FieldsTests {
    @Test func aFieldIsItsTagItsLengthAndItsBytes() {
        var writer = FieldWriter()
        writer.write(FieldTag(0x8001), bytes: [7, 8, 9])
        writer.write(FieldTag(2), UInt32(0x0102_0304))
        #expect(writer.body == [1, 0x80, 3, 0, 0, 0, 7, 8, 9, 2, 0, 4, 0, 0, 0, 4, 3, 2, 1])
        writer.wipe()
        #expect(writer.body.allSatisfy { $0 == 0 })
    }

    @Test func theHighBitOfATagMakesItCritical() {
        #expect(FieldTag(0x8000).isCritical)
        #expect(!FieldTag(0x7FFF).isCritical)
    }
}
