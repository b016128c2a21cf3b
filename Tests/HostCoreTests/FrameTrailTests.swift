import PluginABI
import Testing

@testable import HostCore

@Suite struct FrameTrailTests {
    @Test func theLastSixteenAreKeptOldestFirst() {
        var trail = FrameTrail()
        #expect(trail.names.isEmpty)
        trail.note(FrameKind.hello.rawValue)
        trail.note(99)
        #expect(trail.names == ["hello", "99"])
        for _ in 0..<20 { trail.note(FrameKind.ping.rawValue) }
        trail.note(FrameKind.result.rawValue)
        #expect(trail.names == [String](repeating: "ping", count: 15) + ["result"])
    }

    @Test func aSessionLeavesItsKindsItsStateAndItsOpenCallsAndNoWordOfThem() throws {
        var core = SessionCore(plugin: "sample")
        let context = try SamplePlugin.context()
        func receive(_ message: Message, stream: UInt64 = 0) {
            _ = core.receive(message.frame(stream: stream).encoded())
        }
        receive(.hello(versions: VersionRange(1, 1), name: "sample", sdk: nil))
        try core.send(.welcome)
        try core.send(.initialize)
        receive(.initialized)
        try core.send(.start)
        receive(.started)
        core.noteSent(Message.ping(nonce: 1).frame().encoded())
        _ = try core.openCall(context)
        receive(.initialized)
        let remains = core.remains
        #expect(core.lifecycle.state == .failed && remains.state == .running)
        #expect(remains.received.names == ["hello", "initialized", "started", "initialized"])
        #expect(remains.sent.names == ["ping"] && remains.calls == ["r1"])
    }
}
