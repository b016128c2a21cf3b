import CJail
import Foundation
import PluginABI
import Synchronization
import Testing

@testable import HostCore

@Suite(.timeLimit(.minutes(2))) struct PluginSessionTests {
    private func result(_ text: String) -> Message { .result(Message.Payload(json: Array(text.utf8))) }

    @Test func aCallIsCarriedThereAndItsAnswerBack() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let frame = try await peer.next(.call)
        guard case .call(let call) = try Message(frame) else { return }
        #expect(call.tool == "sample_echo" && call.requestID == "r1")
        #expect(call.credentials.first?.value.withBytes { Array($0) } == Array("s3cret-value".utf8))
        try peer.send(result("[1]"), stream: frame.stream)
        #expect(await answer.value.text == "[1]")
    }

    @Test func aLargeAnswerInOneFrameComesWholeAndTheNextFrameToo() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for _ in 0..<3 {
            let (large, small) = (try peer.call(), try peer.call())
            let streams = [try await peer.next(.call).stream, try await peer.next(.call).stream].sorted()
            let first = Message.result(Message.Payload(json: Array("[1]".utf8), bytes: bytes))
            let answers = first.frame(stream: streams[0]).encoded() + result("[2]").frame(stream: streams[1]).encoded()
            // Blocks until the host has read most of it, so not on a thread of the pool.
            let isSent = await withCheckedContinuation { done in
                Thread.detachNewThread { done.resume(returning: peer.trySend(answers)) }
            }
            #expect(isSent)
            let texts = [await large.value, await small.value]
            #expect(Set(texts.map(\.text)) == ["[1]", "[2]"])
            #expect(texts.contains { (try? $0.get())?.bytes == bytes })
        }
        // One that breaks off in the middle ends the session as any other does.
        let lost = try peer.call()
        let half = Message.result(Message.Payload(json: Array("[3]".utf8), bytes: bytes))
            .frame(stream: try await peer.next(.call).stream).encoded().prefix(150_000)
        try peer.send(Array(half))
        peer.hangUp()
        #expect(await lost.value.error == ScriptedPeer.gone)
    }

    @Test func deadlineAnswersTheCallerAndSendsCancel() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call(deadline: Clock.unixMilliseconds() + 50)
        let frame = try await peer.next(.call)
        #expect(
            await answer.value.error
                == HostError(
                    .deadlineExceeded,
                    "sample_echo did not answer before its deadline (ABI-7.6: end every call with a result, an error "
                        + "or, after cancel, cancelled)", retryable: true))
        #expect(
            try await peer.lines() == [
                "nexusd: ABI-7.6: sample_echo did not answer before its deadline; end every call with a result, an "
                    + "error or, after cancel, cancelled"
            ])
        #expect(try await peer.next(.cancel).stream == frame.stream)
        _ = try await peer.next(.ping)
        try peer.send(result("1"), stream: frame.stream)
        let other = try peer.call()
        try peer.send(result("2"), stream: try await peer.next(.call).stream)
        #expect(await other.value.text == "2")
        #expect(peer.session.lateFrames == 1)
    }

    @Test func pluginThatSaysNothingAfterADeadlineIsFailed() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call(deadline: Clock.unixMilliseconds() + 20)
        #expect(await answer.value.error?.code == .deadlineExceeded)
        // It has been asked twice, by cancel and by ping, and answers neither: the next caller is told that it is dead.
        var cause: HostError?
        for _ in 0..<500 where cause == nil {
            try await Task.sleep(for: .milliseconds(20))
            let next = try peer.call(deadline: Clock.unixMilliseconds() + 1)
            let error = await next.value.error
            if error?.message.contains("then said nothing") == true { cause = error }
        }
        #expect(cause?.code == .deadlineExceeded)
        #expect(cause?.message.contains("ABI-6.6") == true)
        #expect(peer.log.recent(100).contains { $0.hasPrefix("nexusd: ABI-6.6: the plugin missed a call's deadline") })
    }

    @Test func deadlineThatHasPassedAlreadyStillAnswersEveryCaller() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answers = try (0..<300).map { try peer.call(deadline: UInt64($0 % 2)) }
        for answer in answers { #expect(await answer.value.error?.code == .deadlineExceeded) }
    }

    @Test func cancelledCallerIsAnsweredAndThePluginTold() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let frame = try await peer.next(.call)
        answer.cancel()
        #expect(await answer.value.error?.code.rawValue == "cancelled")
        #expect(try await peer.next(.cancel).stream == frame.stream)
    }

    @Test func endOfThePluginAnswersAllCallersWithTheCause() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answers = try (0..<20).map { _ in try peer.call() }
        for _ in answers { _ = try await peer.next(.call) }
        peer.hangUp()
        for answer in answers { #expect(await answer.value.error == ScriptedPeer.gone) }
        #expect(await (try peer.call()).value.error == ScriptedPeer.gone)
        #expect(peer.causes.withLock { $0 } == [ScriptedPeer.gone])
        #expect(peer.session.cause == ScriptedPeer.gone)
    }

    @Test func garbageEndsTheSessionWithARecordedCause() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        _ = try await peer.next(.call)
        try peer.send([UInt8](repeating: 0xFF, count: 100))
        let error = try #require(await answer.value.error)
        #expect(error.code == .pluginFailed)
        #expect(
            error.message == "the plugin sample broke the protocol: a frame announces a body of 4294967295 bytes; "
                + "the limit is 4194304 (frame-too-large) (ABI-4.1: send less, or several data frames)")
        #expect(try await peer.lines().first?.hasPrefix("nexusd: ABI-4.1: a frame announces") == true)
        guard case .abort(let told) = try Message(try await peer.next(.abort)) else { return }
        #expect(told.code == .frameTooLarge)
    }

    @Test func pluginThatNeverSpeaksMissesItsDeadline() async throws {
        let peer = try ScriptedPeer()
        do throws(HostError) {
            try await peer.session.step(nil, to: .greeted, milliseconds: 30)
            Issue.record("a silent plugin was greeted")
        } catch {
            #expect(error == HostError(.deadlineExceeded, "the plugin sample was not greeted within 30 ms"))
        }
        #expect(await (try peer.call()).value.error?.code == .deadlineExceeded)
    }

    @Test func callBeforeRunningIsRefusedAtOnce() async throws {
        let peer = try ScriptedPeer()
        let error = await (try peer.call()).value.error
        #expect(error?.message == "the plugin sample takes no calls: the plugin is created, not running")
    }

    @Test func pluginThatDoesNotReadIsCutOffBeforeMemoryIs() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let large = Array("\"\(String(repeating: "a", count: 1 << 20))\"".utf8)
        let answers = try (0..<40).map { _ in try peer.call(arguments: large) }
        for answer in answers {
            #expect(await answer.value.error?.message == "the plugin sample does not read what it is sent")
        }
    }

    @Test func pingFloodWithoutReadingIsCutOffToo() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let flood = (0..<2_000).flatMap { Message.ping(nonce: UInt64($0)).frame().encoded() }
        while peer.session.cause == nil {
            guard peer.trySend(flood) else { break }
        }
        for _ in 0..<10_000 where peer.session.cause == nil { try await Task.sleep(for: .milliseconds(1)) }
        #expect(peer.session.cause?.message == "the plugin sample does not read what it is sent")
    }

    @Test func framesSplitAtEachByteAreReadAsOne() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let length = result("[1]").frame(stream: 1).encoded().count
        for cut in 1..<length {
            let answer = try peer.call()
            let bytes = result("[\(cut)]").frame(stream: try await peer.next(.call).stream).encoded()
            try peer.send(Array(bytes[..<cut]))
            try peer.send(Array(bytes[cut...]))
            #expect(await answer.value.text == "[\(cut)]")
        }
    }

    @Test func hostCallsAreServedWithinTheirCallOnly() async throws {
        let served = Mutex<[String]>([])
        let peer = try ScriptedPeer(
            services: ScriptedServices { (call) throws(ABIError) in
                served.withLock { $0.append(call.service) }
                guard call.service == "good" else { throw ABIError(.permissionDenied, "no") }
                return Message.Payload(json: Array("{\"ok\":true}".utf8), bytes: [7])
            })
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        func ask(_ service: String, parent: UInt64, on own: UInt64) async throws -> Message {
            try peer.send(
                .hostCall(
                    Message.HostCall(service: service, parent: parent, content: Message.Payload(json: Array("{}".utf8)))
                ),
                stream: own)
            let frame = try await peer.next()
            #expect(frame.stream == own)
            return try Message(frame)
        }
        guard case .result(let payload) = try await ask("good", parent: stream, on: 2) else { return }
        #expect(payload.bytes == [7])
        guard case .error(let denied, false) = try await ask("bad", parent: stream, on: 4) else { return }
        #expect(denied == ABIError(.permissionDenied, "no"))
        guard case .error(let orphan, _) = try await ask("good", parent: 99, on: 6) else { return }
        #expect(orphan.code == .permissionDenied)
        #expect(served.withLock { $0 } == ["good", "bad"])
        try peer.send(result("1"), stream: stream)
        #expect(await answer.value.text == "1")
    }

    @Test func bytesComeInPiecesAsTheHostGrantsCredit() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        var (credit, sent) = (ABILimits.initialCreditBytes, 0)
        let total = 3 << 20
        while sent < total {
            let count = min(credit, 100_000, total - sent)
            if count == 0 {
                let frame = try await peer.next(.credit)
                guard case .credit(let more) = try Message(frame), frame.stream == stream else { return }
                credit += Int(more)
                continue
            }
            try peer.send(.data([UInt8](repeating: UInt8(sent / 100_000), count: count)), stream: stream)
            (credit, sent) = (credit - count, sent + count)
        }
        try peer.send(.result(Message.Payload(json: Array("1".utf8), bytes: [255])), stream: stream)
        let bytes = try await answer.value.get().bytes
        #expect(bytes.count == total + 1 && bytes.last == 255)
        #expect(bytes[150_000] == 1 && bytes.first == 0)
    }

    @Test func dataBeyondItsCreditEndsTheSession() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        // Both in one piece, so that no credit can come between them.
        let first = Message.data([UInt8](repeating: 1, count: 100_000)).frame(stream: stream).encoded()
        let rest = Message.data([UInt8](repeating: 1, count: ABILimits.dataBytes)).frame(stream: stream).encoded()
        _ = peer.trySend(first + rest)
        let error = try #require(await answer.value.error)
        #expect(error.code == .pluginFailed)
        #expect(error.message.contains("had credit for 162144 (flow-control) (ABI-7.14: send data only"))
    }

    @Test func answerOverTheLimitEndsItsCallAndNoOther() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let other = try peer.call()
        let otherStream = try await peer.next(.call).stream
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        var credit = ABILimits.initialCreditBytes
        for _ in 0...HostLimits.answerBytes / ABILimits.dataBytes {
            while credit < ABILimits.dataBytes {
                guard case .credit(let more) = try Message(try await peer.next(.credit)) else { return }
                credit += Int(more)
            }
            try peer.send(.data([UInt8](repeating: 1, count: ABILimits.dataBytes)), stream: stream)
            credit -= ABILimits.dataBytes
        }
        let error = try #require(await answer.value.error)
        #expect(error.code == .pluginFailed)
        #expect(error.message.contains("sample_echo answered with more than 8388608 bytes (ABI-7.13"))
        #expect(try await peer.next(.cancel).stream == stream)
        try peer.send(.cancelled(reason: "as asked"), stream: stream)
        try peer.send(result("2"), stream: otherStream)
        #expect(await other.value.text == "2")
        #expect(peer.log.recent(100).filter { $0.contains("ABI-7.2") }.isEmpty)
    }

    @Test func progressAndFieldsAreLinesOfTheLog() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        try peer.send(.progress(Message.Progress(done: 3, total: 10, message: "reading\u{1B}")), stream: stream)
        try peer.send(.progress(Message.Progress(done: 4)), stream: stream)
        let fields = Array(#"{ "rows": 7 , "who": "a" }"#.utf8)
        try peer.send(.log(Message.LogRecord(level: .info, message: "read", fields: fields)), stream: stream)
        try peer.send(result("1"), stream: stream)
        #expect(await answer.value.text == "1")
        #expect(
            try await peer.lines(atLeast: 3) == [
                "log/debug: sample_echo: 3 of 10, reading\\u{1B}", "log/debug: sample_echo: 4",
                #"log/info: read {"rows":7,"who":"a"}"#,
            ])
    }

    @Test func secondAnswerIsPutDownToThePluginAndALateOneIsNot() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        try peer.send(result("1"), stream: stream)
        #expect(await answer.value.text == "1")
        let cancelled = try peer.call()
        let late = try await peer.next(.call).stream
        cancelled.cancel()
        _ = await cancelled.value
        try peer.send(result("2"), stream: late)
        try peer.send(result("3"), stream: stream)
        let lines = try await peer.lines(atLeast: 1)
        let fix = "was dropped; send exactly one result, error or cancelled for each call"
        #expect(
            lines == [
                "nexusd: ABI-7.2: a second terminal frame came for stream \(stream) and \(fix)"
            ])
        #expect(peer.session.lateFrames == 2)
    }

    @Test func toolThatThrewLeavesItsMessageInTheLog() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        try peer.send(.error(ABIError(.pluginFailed, "ValueError: no such row"), retryable: false), stream: stream)
        #expect(await answer.value.error?.message == "ValueError: no such row")
        let line = try await peer.lines().first
        #expect(line?.hasPrefix("nexusd: ABI-7.6: sample_echo failed: ValueError: no such row; ") == true)
    }

    @Test func pluginThatDoesNotReadWhileItWorksIsFoundOutBeforeTheDeadline() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let answer = try peer.call()
        let stream = try await peer.next(.call).stream
        let line = try await peer.lines().first
        #expect(line?.hasPrefix("nexusd: ABI-6.6: a ping was not answered for ") == true)
        _ = try await peer.next(.ping)
        try peer.send(result("1"), stream: stream)
        #expect(await answer.value.text == "1")
    }

    @Test func toolsFromAToolPluginEndTheSession() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        try peer.send(.tools(json: Array(#"{"tools":[]}"#.utf8)))
        guard case .abort(let told) = try Message(try await peer.next(.abort)) else { return }
        #expect(told.code == .unexpectedMessage)
    }

    @Test func sessionEndsOnceHoweverOftenItFails() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        let first = HostError(.pluginFailed, "first")
        peer.session.fail(first)
        peer.session.fail(HostError(.pluginFailed, "second"))
        peer.hangUp()
        #expect(await (try peer.call()).value.error == first)
        #expect(peer.causes.withLock { $0 } == [first])
    }

    /// Nobody holds the pipe's writing end once it was sent, so its reader sees the end.
    @Test func descriptorsThatAPluginSendsReachNobody() async throws {
        let peer = try ScriptedPeer()
        try await peer.start()
        for _ in 0..<50 {
            var ends: [Int32] = [-1, -1]
            try #require(cjail_pipe(&ends) == 0)
            defer { close(ends[0]) }
            let answer = try peer.call()
            let stream = try await peer.next(.call).stream
            try peer.send(result("[1]").frame(stream: stream).encoded(), passing: ends[1])
            close(ends[1])
            #expect(await answer.value.text == "[1]")
            var rest: UInt8 = 0
            #expect(read(ends[0], &rest, 1) == 0)
        }
    }
}
