internal import PluginABI

extension PluginTalk {
    /// Judges one frame by the rules that hold everywhere, and keeps what it says.
    func take(_ frame: Frame) {
        remember("plugin \(frame.kind)", frame.stream)
        let message: Message
        do throws(ABIError) {
            message = try Message(frame)
        } catch {
            return isProvoked
                ? ()
                : end(
                    FieldFault.rule(of: error, in: frame),
                    "\(frame.kind) on stream \(frame.stream) is refused with \(error.code): \(error.message)",
                    fix: "write the fields of \(frame.kind) as the table of messages has them")
        }
        if isProvoked {
            switch message {
            case .abort(let error): stateAborted = error
            default: tookItForGood = tookItForGood || !stillComing.contains(frame.kind)
            }
            return
        }
        if frame.body.count > bodyLimit {
            return end(
                Rule.bodyLimit,
                "\(frame.kind) has a body of \(frame.body.count) bytes; the limit in force is \(bodyLimit)",
                fix: "send nothing longer than bodyLimit of welcome, and than 4096 bytes before it")
        }
        if frame.kind == .tools, plan.manifest != nil, !plan.isConnector {
            return end(
                Rule.toolsFromConnectors, "a plugin that is no connector sent tools",
                fix: "declare the tools in plugin.json, or the kind connector")
        }
        for rule in Self.ofEveryFrame { notes.exercise(rule) }
        let before = lifecycle.state
        do throws(ABIError) {
            _ = try lifecycle.advance(on: frame.kind, stream: frame.stream, from: .plugin)
        } catch {
            return end(
                frame.kind.sender == .host || before.isFinal || !Self.isMisplaced(frame)
                    ? Rule.states : Rule.places, error.message,
                fix: "send \(frame.kind) only where the lifecycle has a place for it")
        }
        if frame.stream % 2 == 1 { notes.exercise(Rule.unknownStream) }
        // Where the lifecycle has a place for tools, so that only the plugin's kind forbids it.
        if plan.manifest != nil, !plan.isConnector, lifecycle.state == .running, !calls.isEmpty {
            notes.exercise(Rule.toolsFromConnectors)
        }
        scan(frame)
        keep(message, frame)
    }

    /// What each frame that is taken could have broken.
    private static let ofEveryFrame = [
        Rule.onlyFrames, Rule.headers, Rule.repeats, Rule.criticalFields, Rule.fields, Rule.places, Rule.states,
        Rule.bodyLimit,
    ]

    /// On a stream where its kind never belongs.
    private static func isMisplaced(_ frame: Frame) -> Bool {
        switch frame.kind {
        case .result, .cancelled, .progress, .data: frame.stream % 2 == 0
        case .hostCall, .cancel: frame.stream == 0 || frame.stream % 2 == 1
        case .log: frame.stream != 0 && frame.stream % 2 == 0
        case .error: frame.stream != 0 && frame.stream % 2 == 0
        default: frame.stream != 0
        }
    }

    private func keep(_ message: Message, _ frame: Frame) {
        let stream = frame.stream
        switch message {
        case .hello(let versions, _, _): offered = versions
        case .abort(let error): stateAborted = error
        case .ping(let nonce): send(.pong(nonce: nonce))
        case .pong(let nonce): judgePong(nonce)
        case .stopped: judgeStopped()
        case .log(let record): judgeLog(record, stream)
        case .result(let payload): close(stream, .result(payload))
        case .cancelled: close(stream, .cancelled)
        case .error(let error, let retryable):
            judgeError(error)
            if stream != 0 { close(stream, .error(error, retryable: retryable)) }
        case .progress: judgeProgress(stream)
        case .data(let bytes): judgeData(bytes, stream)
        case .hostCall(let call): judgeHostCall(call, stream)
        case .cancel: judgeCancel(stream)
        default: break
        }
    }

    private func judgePong(_ nonce: UInt64) {
        notes.exercise(Rule.ping)
        pongs.append(nonce)
        guard let index = openPings.firstIndex(of: nonce) else {
            return note(
                Rule.ping, "a pong came with the nonce \(nonce), for which no ping was open",
                fix: "answer each ping once, with its nonce")
        }
        openPings.remove(at: index)
    }

    private func judgeStopped() {
        if !calls.isEmpty { notes.exercise(Rule.stoppedLast) }
        let open = calls.filter { $0.value.ends.isEmpty }.keys.sorted()
        if !open.isEmpty {
            note(
                Rule.stoppedLast,
                "stopped came while the calls \(open.map(String.init).joined(separator: ", ")) were open",
                fix: "send stopped only after the terminal frame of every call")
        }
    }

    private func judgeLog(_ record: Message.LogRecord, _ stream: UInt64) {
        notes.exercise(Rule.logs)
        logCount += 1
        if stream != 0, stream >= nextStream { unknown(stream, .log) }
        if record.message.isEmpty {
            note(Rule.logs, "a log record has no message", fix: "send no record, or one with words in it")
        }
    }

    private func judgeError(_ error: ABIError) {
        notes.exercise(Rule.errorWords)
        if error.code.rawValue.isEmpty || error.message.isEmpty {
            note(
                Rule.errorWords,
                "an error has \(error.code.rawValue.isEmpty ? "no code" : "the code \(error.code) and no message")",
                fix: "say what failed, with which value, and what to do; programs read the code")
        }
    }

    private func close(_ stream: UInt64, _ end: CallEnd) {
        guard calls[stream] != nil else { return unknown(stream, .result) }
        notes.exercise(Rule.oneEnd)
        if !canaries.isEmpty { notes.exercise(Rule.noLeak) }
        calls[stream]?.ends.append(end)
        if let count = calls[stream]?.ends.count, count > 1 {
            note(
                Rule.oneEnd, "call \(stream) of \(calls[stream]?.tool ?? "") got \(count) terminal frames",
                fix: "answer a call once: the first result, error or cancelled ends its stream")
        }
    }

    private func judgeProgress(_ stream: UInt64) {
        notes.exercise(Rule.progressOnOpen)
        guard let call = calls[stream] else { return unknown(stream, .progress) }
        calls[stream]?.progressCount += 1
        if !call.ends.isEmpty { lateFrame("progress", stream) }
    }

    private func judgeData(_ bytes: [UInt8], _ stream: UInt64) {
        for rule in [Rule.credit, Rule.progressOnOpen, Rule.emptyData] { notes.exercise(rule) }
        guard let call = calls[stream] else { return unknown(stream, .data) }
        if !call.ends.isEmpty { return lateFrame("data", stream) }
        calls[stream]?.dataBytes += bytes.count
        calls[stream]?.credit -= bytes.count
        calls[stream]?.dataTail = Array((call.dataTail + bytes.suffix(256)).suffix(256))
        if !canaries.isEmpty, holdsCanary(call.dataTail + bytes) { noteLeak(where: "data") }
        if call.credit < bytes.count {
            return end(
                Rule.credit, "\(bytes.count) bytes of data on call \(stream) with a credit of \(call.credit)",
                fix: "count the bytes of data and wait for credit before sending more than it allows")
        }
        if grantsCredit { grant(UInt32(bytes.count), on: stream) }
    }

    /// Allows more data on a call.
    func grant(_ bytes: UInt32, on stream: UInt64) {
        calls[stream]?.credit += Int(bytes)
        send(.credit(bytes: bytes), on: stream)
    }

    private func lateFrame(_ kind: String, _ stream: UInt64) {
        note(
            Rule.progressOnOpen, "\(kind) came on call \(stream) after its terminal frame",
            fix: "send progress and data before the result, never after it")
    }

    private func judgeHostCall(_ call: Message.HostCall, _ stream: UInt64) {
        notes.exercise(Rule.parent)
        if hostCallCount > 0 { notes.exercise(Rule.streamOrder) }
        hostCallCount += 1
        if stream <= lastHostCall {
            return end(
                Rule.streamOrder, "host call \(stream) came after host call \(lastHostCall)",
                fix: "open host calls on even streams in rising order and use no number twice")
        }
        lastHostCall = stream
        if calls[call.parent]?.ends.isEmpty != true {
            note(
                Rule.parent, "the parent of host call \(stream) is \(call.parent), which is no open call",
                fix: "name the stream of the call on whose behalf the service is asked, while that call is open")
        }
        openHostCalls.insert(stream)
        if openHostCalls.count > ABILimits.openHostCalls {
            note(
                Rule.parent, "\(openHostCalls.count) host calls are open at once",
                fix: "keep at most \(ABILimits.openHostCalls) open")
        }
        switch hostCallPolicy {
        case .ignore: break
        case .deny:
            let text = "the conformance kit allows no \(call.service); go on without it"
            answer(stream, .error(ABIError(.permissionDenied, text), retryable: false))
        case .cancel: answer(stream, .cancelled(reason: "the conformance kit gave up"))
        }
    }

    func answer(_ stream: UInt64, _ message: Message) {
        openHostCalls.remove(stream)
        send(message, on: stream)
    }

    private func judgeCancel(_ stream: UInt64) {
        guard stream <= lastHostCall else { return unknown(stream, .cancel) }
        if openHostCalls.contains(stream) { answer(stream, .cancelled(reason: "as asked")) }
    }

    private func unknown(_ stream: UInt64, _ kind: FrameKind) {
        end(
            Rule.unknownStream, "\(kind) came on stream \(stream), which nobody opened",
            fix: "answer on the stream of the call, exactly as it came")
    }

    // MARK: Credentials

    /// Looks for the kit's false credentials in whatever people, agents or logs may see.
    private func scan(_ frame: Frame) {
        guard !canaries.isEmpty, frame.kind != .hostCall, frame.kind != .data, holdsCanary(frame.body) else { return }
        noteLeak(where: "\(frame.kind)")
    }

    func noteLeak(where place: String) {
        note(
            Rule.noLeak, "a credential of a call came back in \(place)",
            fix: "use the value for what it is for and send it nowhere: no result, error, log, stdout or stderr")
    }

    func holdsCanary(_ bytes: [UInt8]) -> Bool {
        guard !canaries.isEmpty else { return false }
        let unescaped = bytes.withoutUnicodeEscapes
        return canaries.contains { bytes.holds($0) || unescaped?.holds($0) == true }
    }
}
