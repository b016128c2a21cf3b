import NIOCore
import PluginABI
import Testing

@testable import HostSurfaces

@Suite struct BodyBufferTests {
    @Test func partsAreJoinedInTheirOrder() {
        var body = BodyBuffer()
        var expected: [UInt8] = []
        for length in [0, 1, 4_095, 1, 5_000, 70_000] {
            let part = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + length) }
            expected += part
            body.take(ByteBuffer(bytes: part))
        }
        #expect(body.count == expected.count)
        #expect(body.finish().withBytes { Array($0) } == expected)
        #expect(BodyBuffer().finish().count == 0)
    }

    @Test func whatWasTakenIsOverwrittenInTheMemoryThatItCameIn() {
        var read = ByteBuffer(string: "HEAD hunter2 NEXT")
        _ = read.readSlice(length: 5)
        let part = read.readSlice(length: 7) ?? ByteBuffer()
        let shared = part
        var body = BodyBuffer()
        body.take(part)
        #expect(body.finish().withBytes { String(decoding: $0, as: UTF8.self) } == "hunter2")
        #expect(Array(shared.readableBytesView) == [UInt8](repeating: 0, count: 7))
        // What belongs to others is left to them.
        #expect(String(buffer: read) == " NEXT")
    }
}
