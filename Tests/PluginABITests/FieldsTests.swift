import PluginABI
import Testing

@Suite struct FieldsTests {
    private let one = FieldTag(1)

    private func refusal(_ body: [UInt8], known: Set<FieldTag> = [FieldTag(1)]) -> ABIError? {
        do {
            _ = try FieldReader(body, known: known)
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
        let reader = try FieldReader(writer.body, known: Set((1...5).map { FieldTag($0) }))
        #expect(try reader.text(FieldTag(1)) == "text")
        #expect(try reader.integer(FieldTag(2), as: UInt32.self) == .max)
        #expect(try reader.integer(FieldTag(3), as: UInt64.self) == 7)
        #expect(try reader.integer(FieldTag(4), as: UInt8.self) == 9)
        #expect(try reader.text(FieldTag(5)) == nil)
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
        let reader = try FieldReader(writer.body, known: [one])
        #expect(throws: ABIError(.malformedFrame, "field 1 appears twice")) { try reader.text(FieldTag(1)) }
        #expect(reader.all(one).count == 2)
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
        #expect(refusal([0, 0x80, 0, 0, 0, 0], known: [FieldTag(0x8000)]) == nil)
    }

    @Test func aValueOverItsLimitIsRefused() throws {
        var writer = FieldWriter()
        writer.write(one, String(repeating: "x", count: ABILimits.nameBytes + 1))
        let reader = try FieldReader(writer.body, known: [one])
        #expect(throws: ABIError(.malformedFrame, "field 1 has 129 bytes; the limit is 128")) {
            try reader.text(FieldTag(1))
        }
    }

    @Test func randomBodiesNeverTrap() {
        var random = SplitMix(state: 5)
        for _ in 0..<30_000 {
            var body = random.bytes(Int(random.next() % 40))
            // Small lengths reach further than random ones.
            for index in stride(from: 3, to: body.count, by: 8) { body[index] = 0 }
            guard let reader = try? FieldReader(body, known: [one, FieldTag(2)]) else { continue }
            _ = try? reader.text(one)
            _ = try? reader.integer(FieldTag(2), as: UInt32.self)
        }
    }
}
