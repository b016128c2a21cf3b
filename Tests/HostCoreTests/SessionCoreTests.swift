import PluginABI
import Testing

@testable import HostCore

@Suite struct SessionCoreTests {
    private let context: CallContext
    init() throws { context = try SamplePlugin.context() }

    private func bytes(_ message: Message, stream: UInt64 = 0) -> [UInt8] { message.frame(stream: stream).encoded() }

    private static let hello = Message.hello(versions: VersionRange(1, 1), name: "sample", sdk: nil)

    private func running() throws -> SessionCore {
        var core = SessionCore(plugin: "sample")
        _ = core.receive(bytes(Self.hello))
        try core.send(.welcome)
        try core.send(.initialize)
        _ = core.receive(bytes(.initialized))
        try core.send(.start)
        _ = core.receive(bytes(.started))
        try #require(core.lifecycle.state == .running)
        return core
    }

    private func failure(_ effects: [SessionCore.Effect]) -> ABIError? {
        guard case .failed(let error) = effects.last else { return nil }
        return error
    }

    private func answers(_ effects: [SessionCore.Effect]) -> [UInt64] {
        effects.compactMap { effect in
            if case .answer(let stream, _) = effect { return stream }
            return nil
        }
    }

    private func hostCall(parent: UInt64) -> Message {
        .hostCall(
            Message.HostCall(service: "http.fetch", parent: parent, content: Message.Payload(json: Array("{}".utf8))))
    }
    private func result(_ text: String = "1") -> Message { .result(Message.Payload(json: Array(text.utf8))) }

    @Test func theHandshakeReachesRunningStepByStep() throws {
        var core = SessionCore(plugin: "sample")
        #expect(core.offeredVersions == nil)
        _ = core.receive(bytes(Self.hello))
        #expect(core.offeredVersions == VersionRange(1, 1))
        #expect(core.lifecycle.state == .greeted)
        _ = try running()
    }

    @Test func garbageFailsTheSessionWhateverItsState() throws {
        let garbage = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8) + [UInt8](repeating: 0xFF, count: 64)
        var fresh = SessionCore(plugin: "sample")
        let early = fresh.receive(garbage)
        #expect(failure(early) != nil)
        var core = try running()
        let effects = core.receive(garbage)
        #expect(failure(effects) != nil)
        #expect(core.lifecycle.state == .failed)
        #expect(throws: ABIError.self) { try core.openCall(context) }
    }

    @Test func randomBytesNeverTrap() throws {
        var random = SplitMix(state: 42)
        for _ in 0..<2_000 {
            var core = try running()
            _ = try core.openCall(context)
            var frame = bytes(result(), stream: 1)
            for _ in 0...random.next() % 4 {
                frame[Int(random.next() % UInt64(frame.count))] = UInt8.random(in: 0...255, using: &random)
            }
            _ = core.receive(frame)
            _ = core.receive((0..<64).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    @Test func oversizedFrameIsRefusedByItsHeader() throws {
        var stranger = SessionCore(plugin: "sample")
        let early = stranger.receive([1, 16, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(failure(early)?.code == .frameTooLarge)
        var core = try running()
        let effects = core.receive([1, 0, 64, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(failure(effects)?.code == .frameTooLarge)
    }

    @Test func unknownKindIsRefused() throws {
        var core = try running()
        let error = failure(core.receive([0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
        #expect(error == ABIError(.unknownKind, "frame kind 99 is not defined"))
    }

    @Test func hostFramesSentByThePluginAreRefused() throws {
        let call = Message.call(Message.Call(tool: "t", arguments: Array("{}".utf8), deadline: 1, requestID: "r"))
        let hostOnly: [Message] = [
            .welcome(version: 1, instance: "x", bodyLimit: 1), .initialize(configuration: Array("{}".utf8)), .start,
            .stop(deadline: 1), .dispose, call,
        ]
        for message in hostOnly {
            for stream: UInt64 in [0, 1, 2] {
                var core = try running()
                let effects = core.receive(bytes(message, stream: stream))
                #expect(failure(effects)?.code == .unexpectedMessage)
            }
        }
    }

    @Test func framesOnStreamsWhereTheyDoNotBelongAreRefused() throws {
        let wrong: [(Message, UInt64)] = [
            (.ping(nonce: 1), 1), (.pong(nonce: 1), 2), (.started, 1), (.stopped, 2), (Self.hello, 1),
            (.log(Message.LogRecord(level: .info, message: "x")), 2), (result(), 0), (result(), 2),
            (.cancelled(reason: "x"), 2),
            (.cancel(reason: "x"), 1), (.cancel(reason: "x"), 0), (.abort(ABIError(.internalError, "x")), 1),
        ]
        for (message, stream) in wrong {
            var core = try running()
            _ = try core.openCall(context)
            let effects = core.receive(bytes(message, stream: stream))
            #expect(failure(effects) != nil, "\(message.kind) on \(stream)")
        }
    }

    @Test func answerForAStreamThatWasNeverOpenedIsRefused() throws {
        for stream: UInt64 in [1, 3, UInt64.max] {
            var core = try running()
            let effects = core.receive(bytes(result(), stream: stream))
            #expect(failure(effects)?.code == .unknownStream)
        }
    }

    @Test func lateFramesAreCountedAndAnswerNobody() throws {
        var core = try running()
        let first = try core.openCall(context)
        let abandoned = [core.abandon(first), core.abandon(first)]
        #expect(abandoned == [true, false])
        let effects = core.receive(bytes(result(), stream: first) + bytes(.cancelled(reason: "x"), stream: first))
        // The first was still due, and crossed the host's cancel; the second never was.
        guard effects.count == 1, case .diagnosis(let diagnosis, nil) = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(diagnosis == .answeredTwice(first))
        #expect(core.lateFrames == 2)
        #expect(core.lifecycle.state == .running)
    }

    @Test func secondAnswerToOneCallIsLate() throws {
        var core = try running()
        let stream = try core.openCall(context)
        let effects = core.receive(bytes(result("1"), stream: stream) + bytes(result("2"), stream: stream))
        #expect(answers(effects) == [stream])
        #expect(core.lateFrames == 1)
    }

    @Test func callsAreAnsweredInAnyOrderOnTheirOwnStreams() throws {
        var core = try running()
        let streams = try (0..<4).map { _ in try core.openCall(context) }
        #expect(streams == [1, 3, 5, 7])
        let effects = streams.reversed().flatMap { core.receive(bytes(result("\($0)"), stream: $0)) }
        #expect(answers(effects) == [7, 5, 3, 1])
    }

    @Test func hostCallWithoutAnOpenParentIsRefusedAndNotPerformed() throws {
        var core = try running()
        let open = try core.openCall(context)
        _ = core.abandon(open)
        for (stream, parent) in [(2, open), (4, 3), (6, 0), (8, 2), (10, UInt64.max)] as [(UInt64, UInt64)] {
            let effects = core.receive(bytes(hostCall(parent: parent), stream: stream))
            guard case .refuseHostCall(stream, let error) = effects.first, effects.count == 1 else {
                Issue.record("stream \(stream): \(effects)")
                continue
            }
            #expect(error.message == "stream \(parent) is no open call; host services serve calls")
        }
    }

    @Test(arguments: [0, 1, 3, UInt64.max] as [UInt64])
    func hostCallOnAStreamThatIsNotThePluginsEndsTheSession(stream: UInt64) throws {
        var core = try running()
        let parent = try core.openCall(context)
        let effects = core.receive(bytes(hostCall(parent: parent), stream: stream))
        #expect(failure(effects) != nil)
    }

    @Test func hostCallOnAUsedOrEarlierStreamEndsTheSession() throws {
        for again: UInt64 in [8, 6, 2] {
            var core = try running()
            let parent = try core.openCall(context)
            let first = core.receive(bytes(hostCall(parent: parent), stream: 8))
            #expect(failure(first) == nil)
            _ = core.closeHostCall(8)
            let effects = core.receive(bytes(hostCall(parent: parent), stream: again))
            #expect(failure(effects)?.code == .unknownStream)
        }
    }

    @Test func hostCallsBeyondTheLimitAreRefusedOneByOne() throws {
        var core = try running()
        let parent = try core.openCall(context)
        var performed = 0
        var refused = 0
        for number in 1...UInt64(ABILimits.openHostCalls + 5) {
            switch core.receive(bytes(hostCall(parent: parent), stream: number * 2)).first {
            case .perform: performed += 1
            case .refuseHostCall(_, let error):
                refused += 1
                #expect(error == ABIError(.unavailable, "more than 32 host calls are open"))
            default: Issue.record("nothing for \(number)")
            }
        }
        #expect(performed == ABILimits.openHostCalls)
        #expect(refused == 5)
        let closed = [core.closeHostCall(2), core.closeHostCall(2)]
        #expect(closed == [true, false])
        guard case .perform = core.receive(bytes(hostCall(parent: parent), stream: 1_000)).first else {
            Issue.record("a closed host call made no room")
            return
        }
    }

    @Test func pluginErrorNeverSpeaksForTheHost() throws {
        let told = ABIError.Code.ofPlugins.map { ($0.rawValue, $0.rawValue) }
        #expect(told.contains { $0.0 == "unknown-tool" })
        for (code, seen) in told + [
            ("unauthenticated", "plugin-failed"), ("audit-failed", "plugin-failed"), ("forbidden", "plugin-failed"),
            ("unknown-plugin", "plugin-failed"), ("sample.limit", "sample.limit"),
            ("sample.SECRETvalue", "plugin-failed"), ("sample.", "plugin-failed"), ("samplex", "plugin-failed"),
        ] {
            var core = try running()
            let stream = try core.openCall(context)
            let effects = core.receive(
                bytes(.error(ABIError(ABIError.Code(code), "why"), retryable: true), stream: stream))
            // Before the answer to plugin-failed there is a diagnosis.
            guard case .answer(stream, .failure(let error)) = effects.last else {
                Issue.record("no answer for \(code)")
                continue
            }
            #expect(error.code.rawValue == seen)
            #expect(error.retryable)
        }
    }

    @Test func framesSplitAtEachByteGiveTheSameEffects() throws {
        var whole = try running()
        _ = try whole.openCall(context)
        let stream =
            bytes(.log(Message.LogRecord(level: .info, message: "hello"))) + bytes(hostCall(parent: 1), stream: 2)
            + bytes(.ping(nonce: 7)) + bytes(result("[1]"), stream: 1)
        let expected = whole.receive(stream).map { "\($0)" }
        // The last is the wish to cancel the host call: its call has ended.
        #expect(expected.count == 5)
        for cut in 0...stream.count {
            var core = try running()
            _ = try core.openCall(context)
            let effects = core.receive(stream[..<cut]) + core.receive(stream[cut...])
            #expect(effects.map { "\($0)".prefix(12) } == expected.map { $0.prefix(12) }, "cut at \(cut)")
        }
    }

    @Test func whatACallStillAsksOfServicesIsCancelledWhenItEnds() throws {
        var core = try running()
        _ = try core.openCall(context)
        _ = try core.openCall(context)
        for (stream, parent) in [(UInt64(2), UInt64(1)), (4, 3), (6, 1)] {
            _ = core.receive(bytes(hostCall(parent: parent), stream: stream))
        }
        let cancelled = core.receive(bytes(result(), stream: 1)).compactMap { effect in
            if case .cancelHostCall(let stream) = effect { return stream }
            return nil as UInt64?
        }
        #expect(cancelled == [2, 6])
        #expect(core.hostCalls(of: 3) == [4])
    }

    @Test func logsAndCancelsOfStreamsThatWereNeverOpenedEndTheSession() throws {
        for (message, stream) in [
            (Message.log(Message.LogRecord(level: .info, message: "m")), UInt64(999)), (.cancel(reason: ""), 998),
        ] {
            var core = try running()
            #expect(failure(core.receive(bytes(message, stream: stream)))?.code == .unknownStream, "\(message.kind)")
        }
    }

    @Test func nothingIsHeardAfterTheEnd() throws {
        var core = try running()
        let stream = try core.openCall(context)
        core.fail()
        let effects = core.receive(bytes(result(), stream: stream))
        #expect(answers(effects).isEmpty)
        #expect(throws: ABIError.self) { try core.openCall(context) }
    }
}

/// A small generator with a fixed seed: a failing case is the same on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
