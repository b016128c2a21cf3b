import Glibc
import PluginABI
import Synchronization
import Testing

@testable import HostCore

/// Sockets that travel with answers (abi-v1.md, ABI-7.21).
@Suite struct PluginSessionSocketsTests {
    private let witness: Witness
    private let peer: ScriptedPeer

    init() throws {
        let witness = try Witness()
        self.witness = witness
        peer = try ScriptedPeer(
            services: ScriptedServices(
                answer: { (_) throws(ABIError) in Message.Payload(json: Array("{\"connected\":\"a:1\"}".utf8)) },
                socket: { PassedSocket(witness.writing) }))
    }

    private func connect(parent: UInt64, on stream: UInt64) throws {
        try peer.send(
            .hostCall(
                Message.HostCall(
                    service: "net.connect", parent: parent, content: Message.Payload(json: Array("{}".utf8)))),
            stream: stream)
    }

    @Test func socketComesWithTheFirstByteOfItsResultAndTheHostKeepsNone() async throws {
        try await peer.start()
        let answer = try peer.call()
        let call = try await peer.next(.call).stream
        // Frames before it wait in the socket too: it still belongs to the frame that ends these bytes.
        try peer.send(.ping(nonce: 5))
        try connect(parent: call, on: 2)
        var bytes: [UInt8] = []
        var socket: Int32?
        while socket == nil {
            let next = try await peer.nextBytes()
            bytes += next.bytes
            socket = next.descriptor
        }
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        decoder.append(bytes)
        var last: Frame?
        while let frame = try decoder.next() { last = frame }
        #expect(last?.kind == .result && last?.stream == 2 && decoder.pendingBytes == 0)
        #expect(witness.isHeld)
        close(try #require(socket))
        #expect(try await witness.isReleased(), "the host let go of its own copy")
        try peer.send(.result(Message.Payload(json: Array("1".utf8))), stream: call)
        #expect(await answer.value.text == "1")
    }

    @Test func socketOfAPluginThatReadsWithoutRoomForItIsClosed() async throws {
        try await peer.start()
        _ = try peer.call()
        let call = try await peer.next(.call).stream
        try connect(parent: call, on: 2)
        #expect(try await peer.next(.result).stream == 2)
        #expect(try await witness.isReleased())
    }

    @Test func socketThatWasNotReadGoesWithTheSession() async throws {
        try await peer.start()
        _ = try peer.call()
        let call = try await peer.next(.call).stream
        try connect(parent: call, on: 2)
        peer.hangUp()
        #expect(try await witness.isReleased())
    }

    /// A plugin that sends descriptors gives the host nothing to hold: its bytes count, the kernel closes the rest.
    @Test func descriptorsFromThePluginAreClosedByTheKernelAndItsFramesCount() async throws {
        let passed = try Witness()
        try await peer.start()
        for nonce in UInt64(1)...100 {
            try peer.send(Message.ping(nonce: nonce).frame().encoded(), passing: passed.writing)
            guard case .pong(nonce) = try Message(try await peer.next(.pong)) else {
                Issue.record("ping \(nonce) was not answered")
                return
            }
        }
        close(passed.writing)
        #expect(try await passed.isReleased(), "no copy is left in this process")
        close(witness.writing)
    }
}
