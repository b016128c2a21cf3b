import JSONBytes
import PluginABI
import SpecVectors
import Testing

@Suite struct MessageTests {
    @Test func encodedInOnePieceItIsTheSameFrame() {
        for (stream, message) in Samples.full.enumerated() {
            #expect(message.encoded(stream: UInt64(stream)) == message.frame(stream: UInt64(stream)).encoded())
        }
        let long = Message.data(Array(repeating: 7, count: 70_000))
        #expect(long.encoded(stream: 3) == long.frame(stream: 3).encoded())
    }

    @Test func everyMessageSurvivesARoundTrip() throws {
        #expect(Samples.full.map(\.kind) == FrameKind.allCases)
        for message in Samples.full {
            let back = try Message(message.frame(stream: 3))
            #expect(back.kind == message.kind)
            #expect(back.vector == message.vector)
        }
    }

    @Test func aMessageSkipsWhatItDoesNotKnowAndRefusesWhatIsCritical() throws {
        for message in Samples.full {
            var frame = message.frame()
            frame.body += [0x77, 0x07, 1, 0, 0, 0, 0xFF]
            #expect(try Message(frame).vector == message.vector)
            frame.body += [0x77, 0x87, 1, 0, 0, 0, 0xFF]
            #expect(throws: ABIError.self, "\(message.kind)") { try Message(frame) }
        }
    }

    @Test func everyTruncatedBodyIsAnErrorAndNeverATrap() {
        for message in Samples.full {
            let frame = message.frame()
            for end in 0..<frame.body.count {
                let cut = Frame(kind: frame.kind, stream: 1, body: Array(frame.body[..<end]))
                // Where a cut falls between fields, only optional ones may be missing.
                if let back = try? Message(cut) { #expect(back.kind == message.kind) }
            }
        }
    }

    @Test func everyBitFlipInABodyNeverTraps() {
        for message in Samples.full {
            let frame = message.frame()
            for bit in 0..<frame.body.count * 8 {
                var flipped = frame
                flipped.body[bit / 8] ^= 1 << (bit % 8)
                _ = try? Message(flipped)
            }
        }
    }

    @Test func argumentsTravelUnchanged() throws {
        let text = #" {"b":0.10,"a":"\u00e9é" , "n":123456789012345678901234567890}"#
        let call = Message.Call(tool: "t", arguments: Array(text.utf8), deadline: 1, requestID: "r")
        guard case .call(let back) = try Message(Message.call(call).frame(stream: 1)) else {
            Issue.record("not a call")
            return
        }
        #expect(String(decoding: back.arguments, as: UTF8.self) == text)
    }

    @Test func aMessageNeverShowsItsCredentials() throws {
        let call = try Message(Samples.full[13].frame(stream: 1))
        for text in Renderings.all(of: call) {
            #expect(!text.contains("s3cret"))
            #expect(!text.contains("115, 51, 99, 114"))
        }
    }

    @Test func randomBodiesOfEveryKindNeverTrap() {
        var random = SplitMix(state: 6)
        for round in 0..<20_000 {
            let kind = FrameKind.allCases[round % FrameKind.allCases.count]
            var body: [UInt8] = []
            for _ in 0..<random.next() % 5 {
                let value = random.bytes(Int(random.next() % 12))
                let tag: UInt16 = random.next() % 8 == 0 ? 0x8001 : UInt16(random.next() % 6)
                body += [UInt8(tag & 0xFF), UInt8(tag >> 8), UInt8(value.count), 0, 0, 0] + value
            }
            if random.next() % 4 == 0 { body += random.bytes(Int(random.next() % 6)) }
            _ = try? Message(Frame(kind: kind, stream: random.next(), body: body))
        }
    }
}
