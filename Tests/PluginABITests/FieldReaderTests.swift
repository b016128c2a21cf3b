import PluginABI
import Testing

@Suite struct FieldReaderTests {
    private let one = FieldTag(1)

    private func refusal(_ body: [UInt8], critical: FieldTag? = nil) -> ABIError? {
        do {
            try FieldReader.read(body.span.bytes, critical: critical) { _ in }
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        var writer = FieldWriter()
        writer.write(FieldTag(1), "text")
        writer.write(FieldTag(2), UInt32.max)
        writer.write(FieldTag(3), UInt64(7))
        writer.write(FieldTag(4), UInt8(9))
        writer.writeIfPresent(FieldTag(5), nil)
        try FieldReader.read(writer.body.span.bytes) { (reader) throws(ABIError) in
            let text = try reader.text(FieldTag(1))
            #expect(text == "text")
            let integers = (
                try reader.integer(FieldTag(2), as: UInt32.self), try reader.integer(FieldTag(3), as: UInt64.self),
                try reader.integer(FieldTag(4), as: UInt8.self)
            )
            #expect(integers == (.max, 7, 9))
            let absent = try reader.text(FieldTag(5))
            #expect(absent == nil)
        }
    }

    @Test func everyTruncationIsRefusedOrEndsBetweenFields() {
        var writer = FieldWriter()
        writer.write(one, "abc")
        writer.write(FieldTag(7), "skipped")
        let boundaries: Set<Int> = [0, 9, writer.body.count]
        for end in 0...writer.body.count {
            #expect((refusal(Array(writer.body[..<end])) == nil) == boundaries.contains(end), "cut at \(end)")
        }
    }

    @Test func aDuplicateFieldIsRefusedWhenItIsRead() throws {
        var writer = FieldWriter()
        writer.write(one, "a")
        writer.write(one, "b")
        try FieldReader.read(writer.body.span.bytes) { (reader) throws(ABIError) in
            #expect(try reader.count(FieldTag(1)) == 2)
        }
        #expect(throws: ABIError(.malformedFrame, "field 1 appears twice")) {
            try FieldReader.read(writer.body.span.bytes) { (reader) throws(ABIError) in try reader.text(FieldTag(1)) }
        }
    }

    @Test func tinyUnknownFieldsCannotFloodTheReader() {
        let field: [UInt8] = [99, 0, 0, 0, 0, 0]
        #expect(refusal(Array(repeatElement(field, count: 256).joined())) == nil)
        #expect(
            refusal(Array(repeatElement(field, count: 257).joined()))?.message == "more than 256 fields in one frame")
    }

    @Test func lengthsNearTheLargestIntegerDoNotWrapAround() {
        for length in [UInt32.max, UInt32.max - 5, 1 << 31] {
            var body: [UInt8] = [1, 0]
            for index in 0..<4 { body.append(UInt8(truncatingIfNeeded: length >> UInt32(8 * index))) }
            #expect(refusal(body + [1, 2, 3])?.message == "field 1 announces \(length) bytes, 3 are left")
        }
    }

    @Test func theHighBitMakesATagCritical() {
        #expect(FieldTag(0x8000).isCritical)
        #expect(!FieldTag(0x7FFF).isCritical)
        #expect(refusal([0, 0x80, 0, 0, 0, 0])?.code == .unknownCriticalField)
        #expect(refusal([0xFF, 0x7F, 0, 0, 0, 0]) == nil)
        #expect(refusal([0, 0x80, 0, 0, 0, 0], critical: FieldTag(0x8000)) == nil)
    }

    @Test func aValueOverItsLimitIsRefused() throws {
        var writer = FieldWriter()
        writer.write(one, String(repeating: "x", count: ABILimits.nameBytes + 1))
        #expect(throws: ABIError(.malformedFrame, "field 1 has 129 bytes; the limit is 128")) {
            try FieldReader.read(writer.body.span.bytes) { (reader) throws(ABIError) in try reader.text(FieldTag(1)) }
        }
    }

    @Test func randomBodiesNeverTrap() {
        var random = SplitMix(state: 5)
        for _ in 0..<30_000 {
            var body = random.bytes(Int(random.next() % 40))
            // Small lengths reach further than random ones.
            for index in stride(from: 3, to: body.count, by: 8) { body[index] = 0 }
            try? FieldReader.read(body.span.bytes) { (reader) throws(ABIError) in
                _ = try? reader.text(FieldTag(1))
                _ = try? reader.integer(FieldTag(2), as: UInt32.self)
            }
        }
    }

    @Test func aCriticalTagIsKnownOnlyWhereItIsNamed() {
        #expect(refusal([1, 0x80, 0, 0, 0, 0], critical: FieldTag(0x8002))?.code == .unknownCriticalField)
        #expect(refusal([1, 0x80, 0, 0, 0, 0], critical: FieldTag(1))?.code == .unknownCriticalField)
    }

    @Test func fieldsAreReadAtEveryAlignment() throws {
        for padding in 0..<9 {
            var writer = FieldWriter()
            writer.write(FieldTag(9), bytes: [UInt8](repeating: 0xFF, count: padding))
            writer.write(one, UInt64(0x0102_0304_0506_0708))
            let value = try FieldReader.read(writer.body.span.bytes) { (reader) throws(ABIError) in
                try reader.integer(FieldTag(1), as: UInt64.self)
            }
            #expect(value == 0x0102_0304_0506_0708)
        }
    }
}
