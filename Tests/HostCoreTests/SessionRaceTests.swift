import PluginABI
import Synchronization
import Testing

@testable import HostCore

/// What happens at the same time: answers and deadlines, calls and cancellations, calls and calls.
@Suite(.timeLimit(.minutes(5))) struct SessionRaceTests {
    private func result(_ text: String) -> Message { .result(Message.Payload(json: Array(text.utf8))) }

    @Test func anAnswerAtItsDeadlineEndsTheCallOnceAndLeavesTheSession() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        var (answered, expired) = (0, 0)
        for round in 0..<200 {
            let answer = try peer.call(deadline: Clock.unixMilliseconds() + UInt64(round % 4))
            let stream = try await peer.next(.call).stream
            // On both sides of the deadline, as it happens.
            if round.isMultiple(of: 2) { try await Task.sleep(for: .microseconds(round * 20)) }
            try peer.send(result("7"), stream: stream)
            let outcome = await answer.value
            if outcome.text == "7" { answered += 1 } else if outcome.error?.code == .deadlineExceeded { expired += 1 }
            if outcome.error != nil { _ = try await peer.next(.cancel) }
        }
        #expect(answered + expired == 200)
        #expect(peer.session.cause == nil)
        let last = try peer.call()
        try peer.send(result("8"), stream: try await peer.next(.call).stream)
        #expect(await last.value.text == "8")
    }

    @Test func aLaterCallWithAnEarlierDeadlineIsNotKeptWaiting() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let long = try peer.call()
        let stream = try await peer.next(.call).stream
        #expect(await (try peer.call(deadline: Clock.unixMilliseconds() + 30)).value.error?.code == .deadlineExceeded)
        _ = try await peer.next(.call)
        _ = try await peer.next(.cancel)
        try peer.send(result("9"), stream: stream)
        #expect(await long.value.text == "9")
    }

    @Test func aCallOfACancelledTaskEndsAtOnce() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        for _ in 0..<100 {
            let answer = try peer.call()
            answer.cancel()
            #expect(await answer.value.error?.code.rawValue == "cancelled")
            let stream = try await peer.next(.call).stream
            #expect(try await peer.next(.cancel).stream == stream)
        }
        #expect(peer.session.cause == nil)
    }

    @Test func callsOfOneTurnLeaveTogether() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let context = try SamplePlugin.context()
        let call = Message.Call(
            tool: "sample_echo", arguments: Array("{}".utf8), deadline: Clock.unixMilliseconds() + 60_000,
            requestID: "r",
            credentials: [])
        let session = peer.session
        let answers = Task(executorPreference: try ScriptedPeer.poller.get()) {
            await withTaskGroup(of: PluginSession.Answer.self) { group in
                for _ in 0..<8 { group.addTask { await session.call(call, in: context) } }
                return await group.reduce(into: []) { $0.append($1.text) }
            }
        }
        let before = peer.reads.withLock { $0 }
        var frames: [Frame] = []
        while frames.count < 8 { frames.append(try await peer.next(.call)) }
        #expect(peer.reads.withLock { $0 } == before + 1)
        for frame in frames { try peer.send(result("3"), stream: frame.stream) }
        #expect(await answers.value == Array(repeating: "3", count: 8))
    }
}
