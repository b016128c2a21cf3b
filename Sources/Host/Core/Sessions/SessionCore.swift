internal import JSONBytes
internal import PluginABI

/// The host's side of one plugin's conversation as a value: bytes in, effects out. It owns no socket and no clock.
struct SessionCore {
    private(set) var lifecycle = Lifecycle()
    private var decoder = FrameDecoder()
    private var openCalls: [UInt64: CallContext] = [:]
    private var openHostCalls: Set<UInt64> = []
    private var nextStream: UInt64 = 1
    private var lastPluginStream: UInt64 = 0
    /// Frames for streams that had ended already.
    private(set) var lateFrames = 0
    /// The versions that the plugin offered in its hello.
    private(set) var offeredVersions: VersionRange?
    let plugin: String

    init(plugin: String) { self.plugin = plugin }

    /// What the shell does next, in order.
    enum Effect: Sendable {
        case entered(LifecycleState)
        case answer(stream: UInt64, Result<Message.Payload, HostError>)
        case perform(stream: UInt64, Message.HostCall, CallContext)
        case cancelHostCall(stream: UInt64)
        case refuseHostCall(stream: UInt64, ABIError)
        case log(Message.LogRecord)
        case pong(nonce: UInt64)
        case failed(ABIError)
    }

    mutating func receive(_ bytes: some Collection<UInt8>) -> [Effect] {
        var effects: [Effect] = []
        decoder.append(bytes)
        do throws(ABIError) {
            while let frame = try decoder.next() { try receive(frame, &effects) }
        } catch {
            lifecycle.fail()
            effects.append(.failed(error))
        }
        return effects
    }

    private mutating func receive(_ frame: Frame, _ effects: inout [Effect]) throws(ABIError) {
        let action = try lifecycle.advance(on: frame.kind, stream: frame.stream, from: .plugin)
        let message = try Message(frame)
        switch action {
        case .entered(let state, _):
            if case .hello(let versions, _, _) = message { offeredVersions = versions }
            if case .abort(let error) = message { throw error }
            if case .error(let error, _) = message { throw error }
            effects.append(.entered(state))
        case .deliver:
            try deliver(message, stream: frame.stream, &effects)
        }
    }

    private mutating func deliver(_ message: Message, stream: UInt64, _ effects: inout [Effect]) throws(ABIError) {
        switch message {
        case .result(let payload): try end(stream, .success(payload), &effects)
        case .error(let error, let retryable):
            try end(stream, .failure(answered(error, retryable: retryable)), &effects)
        case .cancelled(let reason):
            let error = HostError(HostError.Code("cancelled"), "\(plugin) cancelled: \(reason.printable)")
            try end(stream, .failure(error), &effects)
        case .cancel: if openHostCalls.contains(stream) { effects.append(.cancelHostCall(stream: stream)) }
        case .hostCall(let call): try open(call, stream: stream, &effects)
        case .log(let record): effects.append(.log(record))
        case .ping(let nonce): effects.append(.pong(nonce: nonce))
        default: break
        }
    }

    /// A plugin's error as callers see it. It may use the codes that are about its own work and those that start with
    /// its name; any other, which would speak for the host, becomes `plugin-failed`.
    private func answered(_ error: ABIError, retryable: Bool) -> HostError {
        let message = error.message.printable
        guard Self.codesOfPlugins.contains(error.code) || isOwnCode(error.code.rawValue) else {
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

    private static let codesOfPlugins: Set<ABIError.Code> = [
        .invalidArguments, .unavailable, .deadlineExceeded, .cancelled, .permissionDenied, .pluginFailed,
        .internalError,
        ABIError.Code("credential-missing"),
    ]

    private mutating func end(
        _ stream: UInt64, _ result: Result<Message.Payload, HostError>, _ effects: inout [Effect]
    ) throws(ABIError) {
        if openCalls.removeValue(forKey: stream) != nil {
            effects.append(.answer(stream: stream, result))
        } else if stream % 2 == 1, stream < nextStream {
            lateFrames += 1
        } else {
            throw ABIError(.unknownStream, "an answer came for stream \(stream), which the host never opened")
        }
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
        guard let context = openCalls[call.parent] else {
            effects.append(
                .refuseHostCall(
                    stream: stream,
                    ABIError(.permissionDenied, "stream \(call.parent) is no open call; host services serve calls")))
            return
        }
        openHostCalls.insert(stream)
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
        openCalls[nextStream] = context
        return nextStream
    }

    /// Gives up on a call; what still comes for it is late.
    mutating func abandon(_ stream: UInt64) -> Bool { openCalls.removeValue(forKey: stream) != nil }

    /// A host call was answered.
    mutating func closeHostCall(_ stream: UInt64) -> Bool { openHostCalls.remove(stream) != nil }

    mutating func fail() {
        lifecycle.fail()
        openCalls.removeAll()
        openHostCalls.removeAll()
        decoder.wipe()
    }
}
