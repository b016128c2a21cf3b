import PluginABI
import Testing

@testable import HostCore
@testable import Sandbox

@Suite(.timeLimit(.minutes(2))) struct DenialFeedTests {
    private let feed = DenialFeed(plugin: "sample", instance: "sample#1")

    private func refused(_ call: String, count: Int = 1) -> JailDenial {
        JailDenial(
            time: 1, call: call, number: 1, arguments: [0, 0, 0, 0, 0, 0], detail: "AF_VSOCK", answer: "EPERM",
            profile: "strict", reason: "a socket is a way out", advice: "use http.fetch", processID: 7, count: count)
    }

    /// The next that is delivered.
    private func delivered() -> AsyncStream<DenialFeed.Entry> {
        let (stream, continuation) = AsyncStream<DenialFeed.Entry>.makeStream()
        feed.deliver { continuation.yield($0) }
        return stream
    }

    @Test func aRefusedCallOutsideOfAnyCallIsDeliveredInOrderAndBelongsToNone() async throws {
        var entries = delivered().makeAsyncIterator()
        feed.received(refused("socket"))
        feed.received(refused("bpf", count: 3))
        let first = try #require(await entries.next())
        #expect(first.context == nil && first.denial.requestID == nil)
        #expect(
            first.denial.line
                == "denied the system call socket(AF_VSOCK) by system call profile strict: a socket is a way out; "
                + "use http.fetch")
        #expect(await entries.next()?.denial.what == "the system call bpf(AF_VSOCK) (3 times)")
    }

    @Test func aRefusedCallBelongsToTheOnlyOpenCallWhoseErrorThenTellsIt() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        feed.belong(to: peer.session)
        var entries = delivered().makeAsyncIterator()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        feed.received(refused("socket"))
        let entry = try #require(await entries.next())
        #expect(entry.denial.requestID == "r1" && entry.context?.denials.last == entry.denial)
        let other = try peer.call()
        let second = try await peer.next(.call).stream
        feed.received(refused("socket"))
        #expect(await entries.next()?.denial.requestID == nil, "of two open calls either may have made it")
        for stream in [stream, second] { try peer.send(.result(.init(json: [0x31])), stream: stream) }
        _ = (await answer.value, await other.value)
        let third = try peer.call()
        let last = try await peer.next(.call).stream
        feed.received(refused("socket", count: 2))
        var late = refused("socket")
        late.isHeldBack = true
        feed.received(late)
        #expect(await entries.next()?.denial.requestID == nil, "several may be of several calls")
        #expect(await entries.next()?.denial.requestID == nil, "told late, it may be of an earlier call")
        try peer.send(.result(.init(json: [0x31])), stream: last)
        _ = await third.value
        feed.leaveSession()
        feed.received(refused("socket"))
        #expect(await entries.next()?.denial.requestID == nil)
    }
}
