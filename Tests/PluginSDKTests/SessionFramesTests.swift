import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct SessionFramesTests {
    /// Runs a plugin against a host that is ready for calls and then does `misdeed`.
    private func run(
        _ misdeed: @escaping (FakeHost) -> Void, after: @escaping (FakeHost) -> Void = { $0.put(.ping(nonce: 2)) }
    ) -> (host: FakeHost, session: Session, error: SessionError?) {
        let plugin = Plugin(name: "sample")
        plugin.tool("act") { _ in .json([:]) }
        let host = FakeHost(steps: [
            { $0.put(.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20)) },
            { $0.put(.initialize(configuration: Array("{}".utf8))) },
            { $0.put(.start) },
            misdeed,
            after,
            { $0.put(.stop(deadline: .max)) },
            { $0.put(.dispose) },
        ])
        let session = Session(plugin: plugin, link: host)
        do {
            try session.run()
            return (host, session, nil)
        } catch {
            return (host, session, error)
        }
    }

    private func code(_ error: SessionError?) -> ABIError.Code? {
        guard case .protocolBroken(let cause) = error else { return nil }
        return cause.code
    }

    @Test(arguments: [
        Message.hello(versions: .supported, name: "x", sdk: nil), .started, .stopped, .disposed, .initialized,
    ])
    func framesThatPluginsSendAreRefusedFromAHost(message: Message) {
        let outcome = run { $0.put(message) }
        #expect(code(outcome.error) == .unexpectedMessage)
        #expect(outcome.host.kinds.last == .abort)
    }

    @Test func lifecycleMessageOutOfPlaceIsRefused() {
        #expect(code(run { $0.put(.start) }.error) == .unexpectedMessage)
    }

    @Test func callOnAnEvenStreamIsRefused() {
        #expect(code(run { $0.put(.call(.test("act")), stream: 2) }.error) == .unexpectedMessage)
    }

    @Test func callOnAStreamThatWasUsedIsRefused() {
        let outcome = run {
            $0.put(.call(.test("act")), stream: 1)
            $0.put(.call(.test("act")), stream: 1)
        }
        #expect(code(outcome.error) == .unknownStream)
    }

    @Test func answerForAStreamNeverOpenedIsRefused() {
        #expect(code(run { $0.put(.result(Message.Payload([:])), stream: 2) }.error) == .unknownStream)
        #expect(code(run { $0.put(.cancel(reason: ""), stream: 41) }.error) == .unknownStream)
    }

    @Test func answerToTheHostsOwnStreamIsRefused() {
        #expect(code(run { $0.put(.result(Message.Payload([:])), stream: 1) }.error) == .unexpectedMessage)
    }

    @Test func sessionMessageOnAStreamIsRefused() {
        #expect(code(run { $0.put(.ping(nonce: 1), stream: 5) }.error) == .unexpectedMessage)
    }

    @Test func malformedBodyIsRefused() {
        let frame = Frame(kind: .call, stream: 1, body: [1, 0, 255, 0, 0, 0])
        #expect(code(run { $0.put(frame) }.error) == .malformedFrame)
    }

    @Test func cancellationOfAnEndedCallIsCountedAndDropped() {
        let outcome = run {
            $0.put(.call(.test("act")), stream: 41)
            $0.put(.ping(nonce: 1))
        } after: {
            $0.put(.cancel(reason: "late"), stream: 41)
            $0.put(.cancel(reason: "late"), stream: 39)
        }
        #expect(outcome.error == nil)
        #expect(outcome.session.lateFrames == 2)
    }

    @Test func queuedCallIsCancelledWithoutRunning() {
        let outcome = run {
            $0.put(.call(.test("act")), stream: 1)
            $0.put(.call(.test("act")), stream: 3)
            $0.put(.cancel(reason: "changed my mind"), stream: 3)
        }
        #expect(outcome.host.ending(of: 1)?.kind == .result)
        #expect(outcome.host.ending(of: 3)?.kind == .cancelled)
    }
}
