import Glibc
import PluginABI
import Testing

/// Looks for a secret in all of this process's memory, as an attacker with a core dump would.
@Suite(.serialized) struct SecretMemoryTests {
    @Test func theScannerFindsWhatIsThere() throws {
        let needle = try Needle(seed: 11)
        let held = SecretBytes(copying: needle.bytes)
        #expect(try needle.copies() == 1)
        #expect(held.count == needle.bytes.count)
        withExtendedLifetime(held) {}
    }

    @Test func aSecretThatIsGoneLeavesNoCopy() throws {
        let needle = try Needle(seed: 12)
        var held: SecretBytes? = SecretBytes(copying: needle.bytes)
        #expect(held?.count == needle.bytes.count)
        held = nil
        #expect(try needle.copies() == 0)
    }

    @Test func sendingACallLeavesNoCopyOfItsCredentials() throws {
        let needle = try Needle(seed: 13)
        try Self.send(needle) { $0.wipe() }
        #expect(try needle.copies() == 0)
    }

    @Test(arguments: [1, 7, 33, 100, 400, 5_000])
    func receivingACallInPiecesLeavesNoCopyOfItsCredentials(_ size: Int) throws {
        let needle = try Needle(seed: 100 + UInt64(size))
        try Self.send(needle) { encoded in
            defer { encoded.wipe() }
            var decoder = FrameDecoder()
            // One frame before and one after: the buffer has to move what it holds.
            decoder.append(Message.ping(nonce: 1).frame().encoded())
            for start in stride(from: 0, to: encoded.count, by: size) {
                decoder.append(encoded[start..<min(start + size, encoded.count)])
                _ = try Self.receive(&decoder, needle)
            }
            decoder.append(Message.ping(nonce: 2).frame().encoded())
            let isPing = try Self.receive(&decoder, needle)
            #expect(isPing)
            #expect(decoder.pendingBytes == 0)
        }
        #expect(try needle.copies() == 0)
    }

    @Test func aCallThatIsReadToItsPlaceLeavesNoCopyOfItsCredentials() throws {
        let needle = try Needle(seed: 17)
        try Self.send(needle) { encoded in
            defer { encoded.wipe() }
            var decoder = FrameDecoder()
            decoder.append(encoded[..<200])
            let isPing = try Self.receive(&decoder, needle)
            #expect(!isPing && decoder.awaitedBytes == encoded.count - 200)
            for start in stride(from: 200, to: encoded.count, by: 300) {
                _ = decoder.fill(atMost: 300) { room in
                    for (index, byte) in encoded[start...].prefix(room.count).enumerated() { room[index] = byte }
                    return room.count
                }
                _ = try Self.receive(&decoder, needle)
            }
            #expect(decoder.pendingBytes == 0)
        }
        #expect(try needle.copies() == 0)
    }

    @Test func movingWhatIsPendingLeavesNoCopyOfIt() throws {
        let needle = try Needle(seed: 16)
        var decoder = FrameDecoder()
        try Self.send(needle) { encoded in
            defer { encoded.wipe() }
            // The start of a call behind so many frames that it has to be moved to the front to make room for its end.
            let pings = Array(repeatElement(Message.ping(nonce: 1).frame().encoded(), count: 60).joined())
            var start = pings + encoded[..<200]
            defer { start.wipe() }
            decoder.append(start)
            let isPing = try Self.receive(&decoder, needle)
            #expect(isPing)
            decoder.append(encoded[200...])
            let isPingAgain = try Self.receive(&decoder, needle)
            #expect(!isPingAgain)
        }
        #expect(decoder.pendingBytes == 0)
        #expect(try needle.copies() == 0)
    }

    @Test func aCallThatIsRefusedLeavesNoCopyOfItsCredentials() throws {
        let needle = try Needle(seed: 15)
        try Self.send(needle) { encoded in
            defer { encoded.wipe() }
            var decoder = FrameDecoder()
            decoder.append(encoded[..<(encoded.count - 3)])
            let frame = try decoder.next()
            #expect(frame == nil)
            decoder.wipe()
        }
        #expect(try needle.copies() == 0)
    }

    @inline(never)
    private static func send(_ needle: Needle, _ body: (inout [UInt8]) throws -> Void) throws {
        let first = Credential(name: "first", value: SecretBytes(copying: needle.bytes))
        let second = Credential(name: "second", value: SecretBytes(copying: [UInt8](repeating: 1, count: 900)))
        let message = Message.call(
            Message.Call(
                tool: "t", arguments: Array("{}".utf8), deadline: 1, requestID: "r", credentials: [first, second]))
        var frame = message.frame(stream: 1)
        defer { frame.body.wipe() }
        var encoded = frame.encoded()
        try body(&encoded)
    }

    /// Drains the decoder; true if the last frame was a ping.
    @inline(never)
    private static func receive(_ decoder: inout FrameDecoder, _ needle: Needle) throws -> Bool {
        var isPing = false
        while var frame = try decoder.next() {
            defer { frame.body.wipe() }
            isPing = frame.kind == .ping
            guard case .call(let call) = try Message(frame) else { continue }
            #expect(call.credentials.count == 2)
            #expect(call.credentials.first?.value.withBytes { $0.elementsEqual(needle.bytes) } == true)
        }
        return isPing
    }
}

/// Random bytes in a page of their own, and the search for copies of them elsewhere.
private final class Needle {
    let bytes: UnsafeRawBufferPointer
    private let chunk: UnsafeMutableRawBufferPointer
    private static let length = 48
    private static let chunkBytes = 1 << 20

    init(seed: UInt64) throws {
        let page = try Self.map(4_096)
        var random = SplitMix(state: seed)
        for offset in stride(from: 0, to: Self.length, by: 8) {
            page.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
        }
        bytes = UnsafeRawBufferPointer(rebasing: page[..<Self.length])
        chunk = try Self.map(Self.chunkBytes)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), 4_096)
        munmap(chunk.baseAddress, chunk.count)
    }

    private static func map(_ count: Int) throws -> UnsafeMutableRawBufferPointer {
        let start = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        try #require(start != MAP_FAILED)
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// How often the bytes occur in writable memory outside the needle's own page.
    func copies() throws -> Int {
        let memory = open("/proc/self/mem", O_RDONLY)
        try #require(memory >= 0, "this test reads /proc/self/mem")
        defer { close(memory) }
        let own = [bytes.baseAddress, UnsafeRawPointer(chunk.baseAddress)].map { UInt(bitPattern: $0) }
        var copies = 0
        for (start, end) in try Self.writableRegions() {
            var offset = start
            while offset < end {
                let count = pread(memory, chunk.baseAddress, min(Self.chunkBytes, Int(end - offset)), off_t(offset))
                guard count > 0 else { break }
                copies += occurrences(in: count, at: offset, except: own)
                // The next chunk starts a little earlier, so that nothing hides on the seam.
                offset +=
                    count < Self.length || offset + UInt(count) >= end ? UInt(count) : UInt(count - Self.length + 1)
            }
        }
        return copies
    }

    private func occurrences(in count: Int, at address: UInt, except own: [UInt]) -> Int {
        var found = 0
        var position = 0
        let first = Int32(bytes[0])
        while position + bytes.count <= count, let base = chunk.baseAddress, let start = bytes.baseAddress,
            let hit = memchr(base + position, first, count - position)
        {
            position = base.distance(to: hit) + 1
            guard position - 1 + bytes.count <= count, memcmp(hit, start, bytes.count) == 0 else { continue }
            let place = address + UInt(position - 1)
            let isOwn = place == own[0] || (place >= own[1] && place < own[1] + UInt(Self.chunkBytes))
            if !isOwn { found += 1 }
        }
        return found
    }

    private static func writableRegions() throws -> [(start: UInt, end: UInt)] {
        let file = try #require(fopen("/proc/self/maps", "r"))
        defer { fclose(file) }
        var regions: [(start: UInt, end: UInt)] = []
        var line = [CChar](repeating: 0, count: 8_192)
        while fgets(&line, Int32(line.count), file) != nil {
            let parts = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
                separator: " ")
            guard parts.count > 1, parts[1].hasPrefix("rw") else { continue }
            let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2, ends[0] < UInt(Int64.max) { regions.append((ends[0], ends[1])) }
        }
        return regions
    }
}
