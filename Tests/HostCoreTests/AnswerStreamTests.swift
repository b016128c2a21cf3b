import PluginABI
import Testing

@testable import HostCore

@Suite struct AnswerStreamTests {
    private func result(bytes: [UInt8] = []) -> Message {
        .result(Message.Payload(json: Array("1".utf8), bytes: bytes))
    }

    /// The pong is sent behind whatever the data made the host send.
    private func expectNothingWasGranted(_ peer: ScriptedPeer) async throws {
        try peer.send(.ping(nonce: 7))
        _ = try await peer.next(.pong)
    }

    @Test func thePluginMaySendAgainWhatTheReaderHasTakenAndNoMore() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let reader = AnswerStream()
        let answer = try peer.call(stream: reader)
        let stream = try await peer.next(.call).stream
        let window = [UInt8](repeating: 5, count: ABILimits.initialCreditBytes)
        for round in 1...3 {
            try peer.send(.data(window), stream: stream)
            try await expectNothingWasGranted(peer)
            #expect(await reader.begins())
            #expect(await reader.next() == window)
            guard case .credit(let granted) = try Message(try await peer.next(.credit)) else { return }
            #expect(granted == UInt32(window.count))
            #expect(reader.count == round * window.count)
        }
        try peer.send(result(bytes: [1, 2]), stream: stream)
        let payload = try await answer.value.get()
        #expect(payload.bytes.isEmpty && payload.json == Array("1".utf8))
        reader.end(isWhole: true)
        #expect(await reader.next() == [1, 2])
        #expect(await reader.next() == nil)
        #expect(await reader.next() == nil)
    }

    @Test func bytesBeyondTheCreditEndTheSessionAsEver() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call(stream: AnswerStream())
        let stream = try await peer.next(.call).stream
        try peer.send(.data([UInt8](repeating: 5, count: ABILimits.initialCreditBytes)), stream: stream)
        try peer.send(.data([5]), stream: stream)
        let error = try #require(await answer.value.error)
        #expect(error.code == .pluginFailed && error.message.contains("had credit for 0"), "\(error)")
    }

    @Test func whatIsHeldBackOfAnAnswerThatBrokeOffGoesNowhere() async {
        let redactor = Redactor()
        redactor.learn([Credential(name: "key", value: SecretBytes(copying: Array("s3cret-value".utf8)))])
        for isWhole in [true, false] {
            let stream = AnswerStream()
            stream.begin(redactor) { _ in }
            stream.offer([UInt8](repeating: 0x2E, count: 200) + Array("s3cret-valu".utf8))
            stream.end(isWhole: isWhole)
            var text = ""
            while let bytes = await stream.next() { text += String(decoding: bytes, as: UTF8.self) }
            #expect(text.hasSuffix("s3cret-valu") == isWhole)
            #expect(!text.isEmpty)
        }
    }

    @Test func anAnswerWithoutBytesNeverBegins() async {
        let stream = AnswerStream()
        stream.offer([])
        stream.end(isWhole: true)
        #expect(await !stream.begins())
        #expect(await stream.next() == nil)
    }

    @Test func aReaderThatIsCancelledWaitsNoLonger() async {
        let stream = AnswerStream()
        let reader = Task { await stream.next() }
        reader.cancel()
        #expect(await reader.value == nil)
    }
}
