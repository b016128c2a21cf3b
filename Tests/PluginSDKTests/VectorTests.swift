import Glibc
import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

/// The shared vectors (sdk/spec/vectors) through the SDK's own link and session; transcripts: TranscriptTests.
@Suite struct VectorTests {
    /// What the link and the decoder make of bytes that came over a socket: frames, then an error or the end.
    private func read(_ bytes: [UInt8], bodyLimit: Int) throws -> (frames: [String], error: String) {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[1]) }
        let link = SocketLink(descriptor: ends[1])
        link.bodyLimit = bodyLimit
        try #require(write(ends[0], bytes, bytes.count) == bytes.count)
        close(ends[0])
        var frames: [String] = []
        do {
            while case .frame(let frame) = try link.receive(before: nil) {
                let message = try Message(frame)
                frames.append("\(message.kind) \(frame.stream)")
            }
            return (frames, "incomplete")
        } catch SessionError.protocolBroken(let cause) {
            return (frames, cause.code.rawValue)
        } catch let error as ABIError {
            return (frames, error.code.rawValue)
        }
    }

    @Test func everyFrameVectorHasItsOutcome() throws {
        let vectors = try #require(VectorFile.json("frames.json")["vectors"]?.arrayValue)
        for vector in vectors {
            let name = try #require(vector["name"]?.stringValue)
            let digits = try #require(vector["hex"]?.stringValue).compactMap(\.hexDigitValue)
            let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
            guard bytes.count < 1 << 16 else { continue }
            let seen = try read(bytes, bodyLimit: vector["bodyLimit"]?.intValue ?? ABILimits.bodyBytes)
            if let error = vector["error"]?.stringValue {
                #expect(seen.error == error, "\(name)")
            } else {
                let expected = try #require(vector["frames"]?.arrayValue).map {
                    "\($0["kind"]?.stringValue ?? "") \($0["stream"]?.stringValue ?? "")"
                }
                #expect(seen.frames == expected, "\(name)")
            }
        }
        #expect(vectors.count >= 159)
    }

    @Test func everyVersionThatAHostMayChooseIsTakenOrRefused() throws {
        let vectors = try #require(VectorFile.json("negotiation.json")["vectors"]?.arrayValue)
        for vector in vectors {
            guard let version = vector["version"]?.intValue else { continue }
            let host = FakeHost(steps: [
                { $0.put(.welcome(version: UInt32(version), instance: "test-1", bodyLimit: 1 << 20)) },
                { $0.put(.dispose) },
            ])
            let isOurs = VersionRange.supported.minimum...VersionRange.supported.maximum ~= UInt32(version)
            try? Session(plugin: Plugin(name: "sample"), link: host).run()
            #expect(host.kinds.last == (isOurs ? .disposed : .abort), "\(vector["name"]?.stringValue ?? "")")
        }
    }

    /// For each state in which a host may be reached while the session waits, and each kind that a host may send there.
    @Test func everyFrameOfAHostIsTakenOrRefusedAsTheLifecycleSays() throws {
        let document = try VectorFile.json("lifecycle.json")
        let opening: [String: [Message]] = [
            "greeted": [], "welcomed": [Self.welcome], "initialized": [Self.welcome, Self.initialize],
            "running": [Self.welcome, Self.initialize, .start],
            "stopped": [Self.welcome, Self.initialize, .start, .stop(deadline: .max)],
        ]
        let own: [String: Message] = [
            "welcome": Self.welcome, "initialize": Self.initialize, "start": .start, "stop": .stop(deadline: .max),
            "dispose": .dispose, "ping": .ping(nonce: 1), "pong": .pong(nonce: 1), "call": .call(.test("act")),
        ]
        var tried = 0
        for vector in try #require(document["vectors"]?.arrayValue) {
            guard let before = opening[vector["state"]?.stringValue ?? ""],
                let message = own[vector["kind"]?.stringValue ?? ""],
                vector["place"]?.stringValue?.hasPrefix("host/") == true
            else { continue }
            let stream: UInt64 = vector["place"] == "host/odd" ? 1 : 0
            let host = FakeHost(
                steps: before.map { message in { $0.put(message) } } + [{ $0.put(message, stream: stream) }])
            let plugin = Plugin(name: "sample")
            plugin.tool("act") { _ in .json([:]) }
            try? Session(plugin: plugin, link: host).run()
            let wasRefused = host.kinds.last == .abort
            #expect(wasRefused == (vector["outcome"] == "refused"), "\(vector["name"]?.stringValue ?? "")")
            tried += 1
        }
        #expect(tried >= 30)
    }

    private static let welcome = Message.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20)
    private static let initialize = Message.initialize(configuration: Array("{}".utf8))
}
