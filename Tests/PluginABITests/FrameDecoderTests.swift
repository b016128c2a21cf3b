import PluginABI
import Testing

@Suite struct FrameDecoderTests {
    private func frames(_ decoder: inout FrameDecoder) throws(ABIError) -> [Frame] {
        var frames: [Frame] = []
        while let frame = try decoder.next() { frames.append(frame) }
        return frames
    }

    @Test func bytesInAnyPiecesGiveTheSameFrames() throws {
        let stream = Samples.stream
        let expected = Samples.full.enumerated().map { $0.element.frame(stream: UInt64($0.offset)) }
        for size in [1, 2, 3, 7, 15, 16, 17, 64, stream.count] {
            var decoder = FrameDecoder()
            var seen: [Frame] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                decoder.append(stream[start..<min(start + size, stream.count)])
                seen += try frames(&decoder)
            }
            #expect(seen == expected, "pieces of \(size)")
            #expect(decoder.pendingBytes == 0)
        }
    }

    @Test func theRestOfAFrameThatIsReadToItsPlaceGivesTheSameFrames() throws {
        let large = Message.data((0..<300_000).map { UInt8(truncatingIfNeeded: $0) }).frame(stream: 3)
        let expected = [large, Message.ping(nonce: 1).frame(), large]
        let stream = Array(expected.map { $0.encoded() }.joined())
        for (first, limit) in [(16, 1_000), (17, 65_536), (100_000, 1 << 20), (300_030, 7_777)] {
            var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
            var seen: [Frame] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let isUnderWay = decoder.awaitedBytes > 0
                let room = decoder.awaitedBytes
                let hasCome = decoder.fill(atMost: limit) { bytes in
                    #expect(bytes.count == min(room, limit), "never into the next frame")
                    bytes.copyBytes(from: rest.prefix(bytes.count))
                    rest = rest.dropFirst(bytes.count)
                    return bytes.count
                }
                #expect(hasCome == isUnderWay)
                if !hasCome {
                    decoder.append(rest.prefix(first))
                    rest = rest.dropFirst(first)
                }
                seen += try frames(&decoder)
            }
            #expect(seen == expected && decoder.pendingBytes == 0, "\(first) bytes, then \(limit)")
        }
    }

    @Test func nothingIsReadToItsPlaceBeforeItsHeaderWasJudgedOrAfterAnError() throws {
        var decoder = FrameDecoder()
        let frame = Message.hello(versions: VersionRange(1, 1), name: "name", sdk: nil).frame().encoded()
        decoder.append(frame[..<20])
        #expect(!decoder.fill(atMost: 100) { _ in 1 } && decoder.pendingBytes == 20)
        #expect(try decoder.next() == nil)
        for answer in [-1, 0] { #expect(!decoder.fill(atMost: 100) { _ in answer } && decoder.pendingBytes == 20) }
        #expect(decoder.awaitedBytes == frame.count - 20)
        // A reader that claims too much is not believed.
        #expect(decoder.fill(atMost: 2) { _ in 1_000 } && decoder.pendingBytes == 22)
        decoder.wipe()
        decoder.append([255, 255, 255, 255] + frame[4...])
        #expect(throws: ABIError.self) { try decoder.next() }
        #expect(!decoder.fill(atMost: 100) { _ in 1 } && decoder.awaitedBytes == 0)
    }

    @Test func everyPrefixGivesTheFramesThatAreWholeInIt() throws {
        let stream = Samples.stream
        var ends: [Int] = []
        for message in Samples.full { ends.append((ends.last ?? 0) + message.frame().encoded().count) }
        for length in 0...stream.count {
            var decoder = FrameDecoder()
            decoder.append(stream[..<length])
            #expect(try frames(&decoder).count == ends.count { $0 <= length })
        }
    }

    @Test func everyBitFlipInAHeaderIsAFrameOrAnErrorAndNeverATrap() {
        for message in Samples.full {
            let bytes = message.frame(stream: 5).encoded()
            for bit in 0..<ABILimits.headerBytes * 8 {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << (bit % 8)
                var decoder = FrameDecoder()
                decoder.append(flipped)
                do {
                    while let frame = try decoder.next() { _ = try? Message(frame) }
                } catch {
                    let codes: [ABIError.Code] = [.frameTooLarge, .unknownKind, .malformedFrame]
                    #expect(codes.contains(error.code))
                }
            }
        }
    }

    @Test func oversizedLengthIsRefusedBeforeTheBodyArrives() {
        for length in [4097, 1 << 20, 1 << 31, Int(UInt32.max)] {
            var decoder = FrameDecoder()
            var header = Frame(kind: .hello).encoded()
            for index in 0..<4 { header[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
            decoder.append(header[..<15])
            #expect(throws: Never.self) { try decoder.next() }
            decoder.append(header[15...])
            #expect {
                try decoder.next()
            } throws: { error in
                (error as? ABIError)?.message == "a frame announces a body of \(length) bytes; the limit is 4096"
            }
        }
    }

    @Test func theLimitMayGrowAfterTheHandshake() throws {
        let large = Message.result(Message.Payload(json: Array("1".utf8), bytes: [UInt8](repeating: 1, count: 5_000)))
        var decoder = FrameDecoder()
        decoder.append(Frame(kind: .start).encoded())
        #expect(try decoder.next()?.kind == .start)
        decoder.bodyLimit = ABILimits.bodyBytes
        decoder.append(large.frame(stream: 1).encoded())
        #expect(try decoder.next()?.body.count == large.frame().body.count)
    }

    @Test func aFrameOfExactlyTheLimitPasses() throws {
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        decoder.append(
            Frame(kind: .result, stream: 1, body: [UInt8](repeating: 0, count: ABILimits.bodyBytes)).encoded())
        #expect(try decoder.next()?.body.count == ABILimits.bodyBytes)
    }

    @Test func theFirstErrorIsTheLastWord() {
        var decoder = FrameDecoder()
        decoder.append([UInt8](repeating: 0, count: 16))
        #expect(throws: ABIError.self) { try decoder.next() }
        decoder.append(Frame(kind: .start).encoded())
        #expect(throws: ABIError(.unknownKind, "frame kind 0 is not defined")) { try decoder.next() }
    }

    @Test func bytesAfterAnErrorAreNotStored() {
        var decoder = FrameDecoder()
        decoder.append([UInt8](repeating: 0xFF, count: 16))
        #expect(throws: ABIError.self) { try decoder.next() }
        for _ in 0..<1_000 { decoder.append([UInt8](repeating: 0, count: 1_000)) }
        #expect(decoder.pendingBytes == 0)
    }

    @Test func aMegabyteFedByteByByteIsReadWhole() throws {
        let frame = Frame(kind: .result, stream: 1, body: [UInt8](repeating: 7, count: 1 << 20))
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        var seen: Frame?
        for byte in frame.encoded() {
            decoder.append(CollectionOfOne(byte))
            if let whole = try decoder.next() { seen = whole }
        }
        #expect(seen == frame)
    }

    @Test func manySmallFramesInOneReadAreAllFound() throws {
        let one = Frame(kind: .ping, body: Message.ping(nonce: 1).frame().body).encoded()
        var decoder = FrameDecoder()
        decoder.append(Array(repeatElement(one, count: 20_000).joined()))
        #expect(try frames(&decoder).count == 20_000)
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix(state: 3)
        for _ in 0..<50_000 {
            var decoder = FrameDecoder()
            decoder.append(random.bytes(Int(random.next() % 64)))
            while let frame = try? decoder.next() {
                _ = try? Message(frame)
            }
        }
    }

    @Test func aMutatedStreamNeverTraps() {
        var random = SplitMix(state: 4)
        let stream = Samples.stream
        var messages = 0
        for _ in 0..<50_000 / 20 {
            var bytes = stream
            for _ in 0...random.next() % 6 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            var decoder = FrameDecoder()
            decoder.append(bytes)
            while let frame = try? decoder.next() { if (try? Message(frame)) != nil { messages += 1 } }
        }
        #expect(messages > 1_000)
    }
}
