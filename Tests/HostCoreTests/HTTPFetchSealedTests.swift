import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// What goes out with sealed credentials, and what of it comes back: live, against a server of this machine.
@Suite struct HTTPFetchSealedTests {
    private static let uses = #"{"header":"X-Key","credential":"key"},{"sign":"binance","credential":"pair"}"#
    private static let values = [("key", "a-key-that-is-echoed/+"), ("pair", "the-signing-secret")]
    private let server: LocalHTTPS
    private let service = HTTPFetchService()
    private let context: CallContext

    init() throws {
        server = try LocalHTTPS()
        context = try SealedSample.context(Self.uses, Self.values, endpoints: ["exchange": server.override()])
    }

    private func fetch(
        _ path: String, _ sealed: JSONValue, in other: CallContext? = nil
    ) async throws(ABIError) -> Message.Payload {
        let wish: JSONValue = [
            "endpoint": "exchange", "method": "GET", "path": .string("/api/v3/\(path)"), "sealed": sealed,
        ]
        let call = Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(wish))
        return try await service.perform(call, in: other ?? context)
    }

    @Test func whatAServerEchoesIsTakenOut() async throws {
        let answer = try await fetch("echo", ["key", "pair"])
        let body = String(decoding: answer.bytes, as: UTF8.self)
        #expect(body.contains("X-Key: [redacted]"), "the server was sent the key: \(body)")
        #expect(body.contains("/api/v3/echo?timestamp=") && body.contains("&signature="))
        let all = body + String(decoding: answer.json, as: UTF8.self)
        #expect(!all.contains("a-key-that-is-echoed") && !all.contains("the-signing-secret"))
        #expect(all.contains(#""x-echo":"[redacted]""#), "\(all)")
        // "u:" before it, and at most one digit on either side that is partly of the value.
        #expect(body.contains("dTp[redacted]") || body.contains("dT[redacted]"), "\(body)")
    }

    @Test func aRequestThatNamesNoneIsScannedToo() async throws {
        #expect(try await fetch("echo", []).bytes.contains("X-Key") == false)
        let other = try SealedSample.context(
            #"{"query":"key","credential":"key"}"#, [("key", "a-key-in-a-path")],
            endpoints: ["exchange": server.override()])
        let answer = try await fetch("echo-a-key-in-a-path", [], in: other)
        #expect(String(decoding: answer.bytes, as: UTF8.self).hasPrefix("/api/v3/echo-[redacted]"))
    }

    @Test func anAnswerThatTheHostCannotReadIsNotPassedOn() async throws {
        let error = await #expect(throws: ABIError.self) { try await fetch("packed", ["key"]) }
        #expect(
            error?.message == "the answer is encoded as deflate, so the host cannot see whether a sealed credential "
                + "is in it; ask for one that is not")
    }

    @Test func aCallWithoutSealedCredentialsGetsWhatTheServerSends() async throws {
        let plain = try SamplePlugin.context(endpoints: ["exchange": server.override()])
        #expect(try await !fetch("packed", [], in: plain).bytes.isEmpty)
        let error = await #expect(throws: ABIError.self) { try await fetch("echo", ["key"], in: plain) }
        #expect(error?.code == .permissionDenied)
    }
}
