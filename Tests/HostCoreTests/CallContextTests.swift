import PluginABI
import Synchronization
import Testing

@testable import HostCore

@Suite struct CallContextTests {
    @Test(arguments: [true, false])
    func whatALeftCallAsksOfServicesIsCancelled(byItsCaller: Bool) async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (ended, end) = AsyncStream.makeStream(of: Bool.self)
        let peer = try ScriptedPeer(
            services: ScriptedServices { (_) throws(ABIError) in
                begin.yield()
                try? await Task.sleep(for: .seconds(600))
                end.yield(Task.isCancelled)
                throw ABIError(.unavailable, "too late")
            })
        try await peer.start()
        // Far enough for the request to be made, and the deadline is waited for, not raced.
        let deadline = Clock.unixMilliseconds() + (byItsCaller ? 60_000 : 2_000)
        let answer = try peer.call(deadline: deadline)
        let stream = try await peer.next(.call).stream
        let content = Message.Payload(json: Array("{}".utf8))
        try peer.send(.hostCall(Message.HostCall(service: "slow", parent: stream, content: content)), stream: 2)
        for await _ in begun { break }
        if byItsCaller { answer.cancel() }
        #expect(await answer.value.error?.code.rawValue == (byItsCaller ? "cancelled" : "deadline-exceeded"))
        for await isCancelled in ended {
            #expect(isCancelled)
            break
        }
    }

    @Test func progressGoesToTheCallerInTheOrderOfThePluginAndEndsWithTheCall() async throws {
        let told = Mutex<[UInt64]>([])
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call { progress in told.withLock { $0.append(progress.done) } }
        let stream = try await peer.next(.call).stream
        for done in [1, 3, 2] as [UInt64] { try peer.send(.progress(Message.Progress(done: done)), stream: stream) }
        try peer.send(.result(Message.Payload(json: Array("1".utf8))), stream: stream)
        try peer.send(.progress(Message.Progress(done: 9)), stream: stream)
        #expect(await answer.value.text == "1")
        try peer.send(.ping(nonce: 7))
        _ = try await peer.next(.pong)
        #expect(told.withLock { $0 } == [1, 3, 2])
    }
}
