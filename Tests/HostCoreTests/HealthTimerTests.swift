import PluginABI
import Testing

@testable import HostCore

@Suite struct HealthTimerTests {
    /// Takes about twenty seconds, because that is how patient the host is. One timer serves both.
    @Test func anIdlePluginThatAnswersNoPingIsFailedAndOneThatDoesIsNot() async throws {
        let (silent, answering) = (try ScriptedPeer(), try ScriptedPeer())
        try await silent.start()
        try await answering.start()
        let answers = Task {
            while !Task.isCancelled {
                guard let frame = try? await answering.next(.ping), case .ping(let nonce) = try Message(frame) else {
                    continue
                }
                try answering.send(.pong(nonce: nonce))
            }
        }
        for _ in 0..<3_000 where silent.session.cause == nil { try await Task.sleep(for: .milliseconds(20)) }
        let cause = try #require(silent.session.cause)
        #expect(cause.code == .pluginFailed && cause.retryable)
        #expect(cause.message.contains("did not answer two pings") && cause.message.contains("ABI-6.6"))
        #expect(answering.session.cause == nil)
        // Whoever answers must have stopped first: a host that hangs up is a failure to it.
        answers.cancel()
        _ = await answers.result
        answering.session.fail(ScriptedPeer.gone)
    }

    @Test func sessionsAreNotKeptByTheirTimer() async throws {
        let timer = HealthTimer()
        weak var kept: PluginSession?
        do {
            let peer = try ScriptedPeer()
            timer.watch(peer.session)
            kept = peer.session
        }
        // The poller lets go of it on a thread of its own.
        for _ in 0..<500 where kept != nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(kept == nil)
    }
}
