import Glibc
import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

/// The same session over a real socketpair. One thread plays both parts: the host's frames wait in the socket.
@Suite struct SocketLinkTests {
    /// The host's end of a socketpair; the plugin's end is `plugin`.
    private final class Pair {
        let host: Int32
        let plugin: Int32

        init() throws {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [0, 0]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            (host, plugin) = (ends[0], ends[1])
        }

        deinit {
            close(host)
            close(plugin)
        }

        func put(_ bytes: [UInt8]) { _ = write(host, bytes, bytes.count) }
        func put(_ message: Message, stream: UInt64 = 0) { put(message.frame(stream: stream).encoded()) }

        func sentByPlugin() throws -> [Frame] {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(host, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
            decoder.append(bytes.prefix(max(0, count)))
            var frames: [Frame] = []
            while let frame = try decoder.next() { frames.append(frame) }
            return frames
        }
    }

    private func plugin() -> Plugin {
        let plugin = Plugin(name: "sample")
        plugin.tool("greet") { call in .json(["hello": call.arguments["name"] ?? .null]) }
        return plugin
    }

    @Test func wholeLifeRunsOverASocketpair() throws {
        let pair = try Pair()
        pair.put(.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20))
        pair.put(.initialize(configuration: Array("{}".utf8)))
        pair.put(.start)
        pair.put(.call(.test("greet", ["name": "Ada"], credentials: [.test("k", "v")])), stream: 1)
        let plugin = Plugin(name: "sample")
        plugin.tool("greet") { call in
            pair.put(.stop(deadline: .max))
            pair.put(.dispose)
            return .json(["hello": call.arguments["name"] ?? .null])
        }
        try PluginMain.serve(plugin, descriptor: pair.plugin)
        let frames = try pair.sentByPlugin()
        #expect(frames.map(\.kind) == [.hello, .initialized, .started, .result, .stopped, .disposed])
        let ending = try #require(frames.first { $0.stream == 1 })
        guard case .result(let payload) = try Message(ending) else {
            Issue.record("no result")
            return
        }
        #expect(payload.json == Array("{\"hello\":\"Ada\"}".utf8))
    }

    @Test func endOfFileEndsTheSession() throws {
        let pair = try Pair()
        shutdown(pair.host, Int32(SHUT_WR))
        #expect(throws: SessionError.hostGone) { try PluginMain.serve(plugin(), descriptor: pair.plugin) }
    }

    @Test func garbageFromTheHostIsAnsweredWithAbort() throws {
        let pair = try Pair()
        pair.put(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(throws: SessionError.self) { try PluginMain.serve(plugin(), descriptor: pair.plugin) }
        #expect(try pair.sentByPlugin().map(\.kind) == [.hello, .abort])
    }

    @Test func frameLongerThanTheHandshakeAllowsIsRefusedByItsHeaderAlone() throws {
        let pair = try Pair()
        let frame = Frame(kind: .welcome, body: [UInt8](repeating: 0, count: ABILimits.handshakeBodyBytes + 1))
        pair.put(Array(frame.encoded().prefix(ABILimits.headerBytes)))
        let error = #expect(throws: SessionError.self) { try PluginMain.serve(plugin(), descriptor: pair.plugin) }
        guard case .protocolBroken(let cause) = error else {
            Issue.record("wrong error")
            return
        }
        #expect(cause.code == .frameTooLarge)
    }

    @Test func frameThatArrivesInPiecesIsPutTogether() throws {
        let pair = try Pair()
        let link = SocketLink(descriptor: pair.plugin)
        let bytes = Message.ping(nonce: 5).frame().encoded()
        for byte in bytes.dropLast() {
            pair.put([byte])
            guard case .nothingYet = try link.receive(before: 0) else {
                Issue.record("a frame too early")
                return
            }
        }
        pair.put([bytes[bytes.count - 1]])
        guard case .frame(let frame) = try link.receive(before: nil) else {
            Issue.record("no frame")
            return
        }
        #expect(frame.kind == .ping)
    }

    @Test(.timeLimit(.minutes(1))) func sidesThatBothWriteMuchDoNotWaitForEachOther() throws {
        let pair = try Pair()
        let large = Message.log(Message.LogRecord(level: .info, message: String(repeating: "x", count: 16_000))).frame()
        // The host writes two megabytes before it reads anything, and then reads as much.
        let count = 128
        let script = HostThread {
            for _ in 0..<count { pair.put(large.encoded()) }
            var left = count * large.encoded().count
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while left > 0 { left -= read(pair.host, &bytes, bytes.count) }
        }
        try script.run()
        let link = SocketLink(descriptor: pair.plugin)
        link.bodyLimit = ABILimits.bodyBytes
        for _ in 0..<count { try link.send(large) }
        for _ in 0..<count {
            guard case .frame = try link.receive(before: nil) else {
                Issue.record("a frame is missing")
                return
            }
        }
        try link.finish()
        script.join()
    }

    @Test func waitEndsAtItsDeadline() throws {
        let pair = try Pair()
        let started = Clock.unixMilliseconds()
        guard case .nothingYet = try SocketLink(descriptor: pair.plugin).receive(before: started + 30) else {
            Issue.record("something came")
            return
        }
        #expect(Clock.unixMilliseconds() >= started + 30)
    }

    @Test func hostThatIsGoneIsAnErrorOfWriting() throws {
        let pair = try Pair()
        shutdown(pair.host, Int32(SHUT_RDWR))
        #expect(throws: SessionError.hostGone) { try SocketLink(descriptor: pair.plugin).send(Frame(kind: .ping)) }
    }

    @Test func closedDescriptorSaysHowPluginsAreStarted() {
        let error = #expect(throws: SessionError.self) { try PluginMain.serve(plugin(), descriptor: -1) }
        #expect(error?.description.contains("started by nexusd") == true)
    }
}

/// A thread of its own: a host that blocks must not hold up the tests' shared ones.
final class HostThread {
    private let body: () -> Void
    private var thread = pthread_t()

    init(_ body: @escaping () -> Void) { self.body = body }

    func run() throws {
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            if let context { Unmanaged<HostThread>.fromOpaque(context).takeRetainedValue().body() }
            return nil
        }
        try #require(pthread_create(&thread, nil, start, Unmanaged.passRetained(self).toOpaque()) == 0)
    }

    func join() { pthread_join(thread, nil) }
}
