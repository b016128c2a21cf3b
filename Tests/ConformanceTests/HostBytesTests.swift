import PluginABI
import Testing

@testable import Conformance

struct HostBytesTests {
    @Test func aFrameByHandIsWhatTheABIWrites() throws {
        let frame = Message.error(ABIError(.unavailable, "later"), retryable: true).frame(stream: 5)
        let hand = HostBytes.frame(
            .error, stream: 5, HostBytes.field(1, "unavailable"), HostBytes.field(2, "later"), HostBytes.field(3, [1]))
        #expect(HostBytes.bytes(ofHex: hand) == frame.encoded())
    }

    @Test func stepsAreShortAndCutBetweenBytes() {
        let hex = HostBytes.frame(.result, HostBytes.field(1, String(repeating: "x", count: 3_000)))
        let steps = HostBytes.steps("act", hex, "wait=1")
        #expect(steps.allSatisfy { $0.utf8.count <= 1_000 })
        let pieces = steps.dropLast().map { String($0.dropFirst("act: hex=".count)) }
        #expect(pieces.joined() == hex)
        #expect(pieces.allSatisfy { $0.filter { $0 != "S" }.count % 2 == 0 })
        #expect(steps.last == "act: wait=1")
    }

    @Test(arguments: [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")])
    func base64IsThatOfRFC4648(text: String, plain: String) {
        #expect(Base64.decode(text) == Array(plain.utf8))
    }
}
