import CAllocations
import PluginABI
import Testing

/// Counted for real: CAllocations stands in front of malloc.
@Suite struct AllocationTests {
    private func allocations(_ body: () throws -> Void) rethrows -> Int {
        allocations_watch(.max)
        defer { _ = allocations_rest() }
        try body()
        return Int(allocations_rest().number)
    }

    @Test func theCounterSeesAnArrayAndAClassAndAString() {
        #expect(allocations { _ = [UInt8](repeating: 1, count: Int.random(in: 90...100)) } >= 1)
        #expect(allocations { _ = SecretBytes(copying: [1]) } >= 2)
        #expect(allocations { _ = String(repeating: "x", count: Int.random(in: 90...100)) } >= 1)
        #expect(allocations {} == 0)
    }

    @Test(arguments: [1, 64, 2_048])
    func smallFramesCostNoAllocation(framesInARead: Int) throws {
        let one = Message.ping(nonce: 7).frame().encoded()
        let read = Array(repeatElement(one, count: framesInARead).joined())
        var decoder = FrameDecoder()
        var frames = 0
        // The first read makes the buffer.
        for round in 0..<10 {
            let number = try allocations {
                decoder.append(read)
                while try decoder.next({ (_, body) in body.byteCount }) == 14 { frames += 1 }
            }
            #expect(round == 0 || number == 0, "round \(round)")
        }
        #expect(frames == 10 * framesInARead)
    }

    @Test func framesAcrossReadsCostNoAllocation() throws {
        let one = Message.credit(bytes: 4_096).frame(stream: 1).encoded()
        let stream = Array(repeatElement(one, count: 2_400).joined())
        var decoder = FrameDecoder()
        var frames = 0
        var costly = 0
        for start in stride(from: 0, to: stream.count, by: 1_000) {
            let read = stream[start..<min(start + 1_000, stream.count)]
            let number = try allocations {
                decoder.append(read)
                while try decoder.next({ (_, body) in body.byteCount }) != nil { frames += 1 }
            }
            // The first reads make the buffer, with room for what is left of one before another.
            if start >= 5_000, number > 0 { costly += 1 }
        }
        #expect(frames == 2_400)
        #expect(costly == 0)
    }

    @Test func aLargeFrameIsGivenItsMemoryOnce() throws {
        let stream = Message.data([UInt8](repeating: 7, count: 1 << 20)).frame(stream: 1).encoded()
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        var start = 100_000
        var seen = 0
        let number = try stream.withUnsafeBytes { stream in
            try allocations {
                decoder.append(UnsafeRawBufferPointer(rebasing: stream[..<start]))
                while true {
                    if let count = try decoder.next({ (_, body) in body.byteCount }) {
                        seen = count
                        break
                    }
                    _ = decoder.fill(atMost: 200_000) { room in
                        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: stream[start..<start + room.count]))
                        start += room.count
                        return room.count
                    }
                }
            }
        }
        #expect(seen == stream.count - ABILimits.headerBytes && number == 1)
    }

    @Test func messagesWithoutTextOrJSONCostNoAllocation() throws {
        let messages: [Message] = [
            .ping(nonce: 1), .pong(nonce: 2), .credit(bytes: 3), .started, .cancel(reason: "short"),
            .progress(Message.Progress(done: 1, total: 2, message: "a short text")),
        ]
        for message in messages {
            let stream = Array(repeatElement(message.frame(stream: 1).encoded(), count: 100).joined())
            var decoder = FrameDecoder()
            // The first time, Swift's runtime makes what it keeps for each type.
            for isFirst in [true, false] {
                decoder.append(stream)
                var seen = 0
                let number = try allocations {
                    while let kind = try decoder.next({ (header, body) throws(ABIError) in
                        try Message(header.kind, body).kind
                    }) {
                        seen += kind == message.kind ? 1 : 0
                    }
                }
                #expect(seen == 100)
                #expect(isFirst || number == 0, "\(message.kind)")
            }
        }
    }
}
