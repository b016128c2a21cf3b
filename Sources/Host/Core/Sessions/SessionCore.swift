internal import JSONBytes
internal import PluginABI

/// The host's side of one plugin's conversation as a value: bytes in, effects out. It owns no socket and no clock.
struct SessionCore {
    private(set) var lifecycle = Lifecycle()
    private var decoder = FrameDecoder()
    private var openCalls: [UInt64: OpenCall] = [:]
    private var givenUp = GivenUpStreams()
    /// By stream, the call on whose behalf.
    private var openHostCalls: [UInt64: UInt64] = [:]
    private var nextStream: UInt64 = 1
    private var lastPluginStream: UInt64 = 0
    /// Frames for streams that had ended already.
    private(set) var lateFrames = 0
    /// The versions that the plugin offered in its hello.
    private(set) var offeredVersions: VersionRange?
    private var trail = Trail()
    let plugin: String

    /// For whoever asks later how it ended.
    private struct Trail {
        /// Where the lifecycle was before the last frame of the plugin.
        var state = LifecycleState.created
        var received = FrameTrail()
        var sent = FrameTrail()
    }

    init(plugin: String) { self.plugin = plugin }

    /// What the shell does next, in order.
    enum Effect: Sendable {
        case entered(LifecycleState)
        case answer(stream: UInt64, Result<Message.Payload, HostError>)
        case perform(stream: UInt64, Message.HostCall, CallContext)
        case cancelHostCall(stream: UInt64)
        case refuseHostCall(stream: UInt64, ABIError)
        /// With the request on whose behalf, if any; as for a diagnosis.
        case log(Message.LogRecord, request: String?)
        case pong(nonce: UInt64)
        case heardPong(nonce: UInt64)
        case progress(stream: UInt64, CallContext, Message.Progress)
        case grant(stream: UInt64, bytes: UInt32)
        /// Of an answer that passes through.
        case pass([UInt8], AnswerStream)
        /// The host wants no more of a call that it has answered already.
        case cancelCall(stream: UInt64, reason: String)
        case diagnosis(Diagnosis, request: String?)
        case failed(ABIError)
    }

    /// Holds a context once: its fields are many, and each copy would count the references of all of them.
    @dynamicMemberLookup
    private final class HeldContext: Sendable {
        let value: CallContext
        init(_ value: CallContext) { self.value = value }
        subscript<Value>(dynamicMember path: KeyPath<CallContext, Value>) -> Value { value[keyPath: path] }
    }

    private struct OpenCall {
        let context: HeldContext
        var bytes: AnswerBytes

        init(_ context: CallContext) {
            self.context = HeldContext(context)
            bytes = AnswerBytes(passThrough: context.stream != nil)
        }
    }

    /// What has not come of the frame under way.
    var awaitedBytes: Int { decoder.awaitedBytes }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) -> [Effect] {
        decoder.append(bytes)
        return takeFrames()
    }

    /// The same for what `read` puts where the frame under way lies; see `FrameDecoder.fill`.
    mutating func receive(atMost limit: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int) -> [Effect] {
        decoder.fill(atMost: limit, read) ? takeFrames() : []
    }

    private mutating func takeFrames() -> [Effect] {
        var effects: [Effect] = []
        do throws(ABIError) {
            while let (stream, action, message) = try Self.next(&decoder, &lifecycle, &trail) {
                try receive(message, stream: stream, action, &effects)
            }
        } catch {
            lifecycle.fail()
            effects.append(.failed(error))
        }
        return effects
    }

    /// Judges the next frame and reads it where it lies in the decoder.
    private static func next(
        _ decoder: inout FrameDecoder, _ lifecycle: inout Lifecycle, _ trail: inout Trail
    ) throws(ABIError) -> (stream: UInt64, Lifecycle.Action, Message)? {
        trail.state = lifecycle.state
        return try decoder.next { (header, body) throws(ABIError) in
            trail.received.note(header.kind.rawValue)
            let action = try lifecycle.advance(on: header.kind, stream: header.stream, from: .plugin)
            return (header.stream, action, try Message(header.kind, body))
        }
    }

    private mutating func receive(
        _ message: Message, stream: UInt64, _ action: Lifecycle.Action, _ effects: inout [Effect]
    ) throws(ABIError) {
        switch action {
        case .entered(let state, _):
            if case .hello(let versions, _, _) = message { offeredVersions = versions }
            if case .abort(let error) = message { throw error }
            if case .error(let error, _) = message { throw error }
            effects.append(.entered(state))
        case .deliver:
            try deliver(message, stream: stream, &effects)
        }
    }

    private mutating func deliver(_ message: Message, stream: UInt64, _ effects: inout [Effect]) throws(ABIError) {
        switch message {
        case .result(let payload): try end(stream, .success(payload), &effects)
        case .error(let error, let retryable):
            if error.code == .pluginFailed, let call = openCalls[stream] {
                effects.append(
                    .diagnosis(.threw(call.context.tool, error.message), request: call.context.requestID))
            }
            try end(stream, .failure(answered(error, retryable: retryable)), &effects)
        case .data(let bytes): try take(bytes, stream, &effects)
        case .progress(let progress):
            guard try isOpen(stream) else { return }
            if let call = openCalls[stream] { effects.append(.progress(stream: stream, call.context.value, progress)) }
        case .tools:
            throw ABIError(.unexpectedMessage, "tools is a connector's to send; \(plugin) is a tool plugin")
        case .cancelled(let reason):
            let error = HostError(HostError.Code("cancelled"), "\(plugin) cancelled: \(reason.printable)")
            try end(stream, .failure(error), &effects)
        case .cancel: try cancelHostCall(stream, &effects)
        case .hostCall(let call): try open(call, stream: stream, &effects)
        case .log(let record):
            if stream != 0 { guard try isOpen(stream) else { return } }
            effects.append(.log(record, request: openCalls[stream]?.context.requestID))
        case .ping(let nonce): effects.append(.pong(nonce: nonce))
        case .pong(let nonce): effects.append(.heardPong(nonce: nonce))
        default: break
        }
    }

    /// A plugin's error as callers see it (abi-v1.md, ABI-9.7). It may use the codes that are about its own work and
    /// those that start with its name; any other, which would speak for the host, becomes `plugin-failed`.
    private func answered(_ error: ABIError, retryable: Bool) -> HostError {
        let message = error.message.printable
        guard ABIError.Code.ofPlugins.contains(error.code) || isOwnCode(error.code.rawValue) else {
            let code = error.code.rawValue.cut(to: 64).printable
            return HostError(.pluginFailed, "\(plugin) failed with \(code): \(message)", retryable: retryable)
        }
        return HostError(HostError.Code(error.code.rawValue), message, retryable: retryable)
    }

    /// `plugin-name.what`, where `what` is one to forty of a–z, 0–9 and -: a word, not a place to put data.
    private func isOwnCode(_ code: String) -> Bool {
        guard code.hasPrefix("\(plugin).") else { return false }
        let what = code.utf8.dropFirst(plugin.utf8.count + 1)
        return (1...40).contains(what.count)
            && what.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    private mutating func end(
        _ stream: UInt64, _ result: Result<Message.Payload, HostError>, _ effects: inout [Effect]
    ) throws(ABIError) {
        guard try isOpen(stream), var call = openCalls.removeValue(forKey: stream) else {
            if !givenUp.answered(stream) { effects.append(.diagnosis(.answeredTwice(stream), request: nil)) }
            return
        }
        for child in hostCalls(of: stream) { effects.append(.cancelHostCall(stream: child)) }
        guard case .success(var payload) = result else { return effects.append(.answer(stream: stream, result)) }
        guard call.bytes.finish(with: payload.bytes) else { return refuseAnswer(call, stream, &effects) }
        if let reader = call.context.stream { effects.append(.pass(payload.bytes, reader)) }
        payload.bytes = call.bytes.collected
        effects.append(.answer(stream: stream, .success(payload)))
    }

    /// Whether a frame's call is open; false for one that has ended, whose frames are late.
    private mutating func isOpen(_ stream: UInt64) throws(ABIError) -> Bool {
        if openCalls[stream] != nil { return true }
        guard stream % 2 == 1, stream < nextStream else {
            throw ABIError(.unknownStream, "a frame came for stream \(stream), which the host never opened")
        }
        lateFrames += 1
        return false
    }

    private mutating func take(_ bytes: [UInt8], _ stream: UInt64, _ effects: inout [Effect]) throws(ABIError) {
        guard try isOpen(stream), var call = openCalls.removeValue(forKey: stream) else { return }
        switch try call.bytes.take(bytes, stream: stream) {
        case .tooMany:
            givenUp.add(stream)
            for child in hostCalls(of: stream) { effects.append(.cancelHostCall(stream: child)) }
            refuseAnswer(call, stream, &effects)
            effects.append(.cancelCall(stream: stream, reason: "the answer is too large"))
            return
        case .grant(let credit): effects.append(.grant(stream: stream, bytes: credit))
        case .enough: break
        }
        if let reader = call.context.stream { effects.append(.pass(bytes, reader)) }
        openCalls[stream] = call
    }

    /// The reader of a call's bytes has taken so many: what the plugin may send for it.
    mutating func taken(_ count: Int, of stream: UInt64) -> UInt32? { openCalls[stream]?.bytes.take(count) }

    private func refuseAnswer(_ call: OpenCall, _ stream: UInt64, _ effects: inout [Effect]) {
        let diagnosis = Diagnosis.answerTooLarge(call.context.tool, limit: call.bytes.limit)
        effects.append(.diagnosis(diagnosis, request: call.context.requestID))
        effects.append(
            .answer(
                stream: stream,
                .failure(HostError(.pluginFailed, "the plugin \(plugin) failed: \(diagnosis.forCaller)"))))
    }

    private mutating func cancelHostCall(_ stream: UInt64, _ effects: inout [Effect]) throws(ABIError) {
        guard openHostCalls[stream] == nil else { return effects.append(.cancelHostCall(stream: stream)) }
        guard stream <= lastPluginStream else {
            throw ABIError(.unknownStream, "a cancel came for stream \(stream), which was never opened")
        }
        lateFrames += 1
    }

    private mutating func open(_ call: Message.HostCall, stream: UInt64, _ effects: inout [Effect]) throws(ABIError) {
        guard stream % 2 == 0, stream > lastPluginStream else {
            throw ABIError(.unknownStream, "a host call must open a new even stream, not \(stream)")
        }
        lastPluginStream = stream
        guard openHostCalls.count < ABILimits.openHostCalls else {
            effects.append(
                .refuseHostCall(
                    stream: stream, ABIError(.unavailable, "more than \(ABILimits.openHostCalls) host calls are open")))
            return
        }
        guard let context = openCalls[call.parent]?.context.value else {
            effects.append(
                .refuseHostCall(
                    stream: stream,
                    ABIError(.permissionDenied, "stream \(call.parent) is no open call; host services serve calls")))
            return
        }
        openHostCalls[stream] = call.parent
        effects.append(.perform(stream: stream, call, context))
    }

    // MARK: what the host sends

    /// Judges a lifecycle frame that the host is about to send.
    mutating func send(_ kind: FrameKind) throws(ABIError) {
        _ = try lifecycle.advance(on: kind)
        if kind == .welcome { decoder.bodyLimit = ABILimits.bodyBytes }
    }

    /// Opens a stream for a call.
    mutating func openCall(_ context: CallContext) throws(ABIError) -> UInt64 {
        guard lifecycle.state == .running else {
            throw ABIError(.unexpectedMessage, "the plugin is \(lifecycle.state.rawValue), not running")
        }
        defer { nextStream += 2 }
        openCalls[nextStream] = OpenCall(context)
        return nextStream
    }

    /// Gives up on a call; what still comes for it is late.
    mutating func abandon(_ stream: UInt64) -> Bool {
        guard openCalls.removeValue(forKey: stream) != nil else { return false }
        givenUp.add(stream)
        return true
    }

    /// - Parameter frame: as it is sent; its fifth byte is its kind.
    mutating func noteSent(_ frame: borrowing [UInt8]) { trail.sent.note(frame[4]) }

    var remains: SessionRemains {
        SessionRemains(
            state: lifecycle.state == .failed ? trail.state : lifecycle.state, received: trail.received,
            sent: trail.sent, calls: openCalls.values.map(\.context.requestID))
    }

    var hasOpenCalls: Bool { !openCalls.isEmpty }

    /// The call that the plugin must be working on; nil where there are none or several.
    var onlyCall: CallContext? { openCalls.count == 1 ? openCalls.first?.value.context.value : nil }

    func context(of call: UInt64) -> CallContext? { openCalls[call]?.context.value }

    /// A host call was answered.
    mutating func closeHostCall(_ stream: UInt64) -> Bool { openHostCalls.removeValue(forKey: stream) != nil }

    /// What a call still asks of services (ABI-7.19).
    func hostCalls(of call: UInt64) -> [UInt64] {
        openHostCalls.isEmpty ? [] : openHostCalls.filter { $0.value == call }.map(\.key).sorted()
    }

    mutating func fail() {
        lifecycle.fail()
        openCalls.removeAll()
        openHostCalls.removeAll()
        decoder.wipe()
    }
}

/// What a conversation left behind: nothing of what was said.
struct SessionRemains: Sendable {
    /// Where it was before it failed.
    var state: LifecycleState
    var received: FrameTrail
    var sent: FrameTrail
    /// Request ids of the open calls.
    var calls: [String]
}
