// What the host sends. Everything here runs with the lock held.

extension Session {
    /// Judges one frame, acts on it and overwrites it: a call's frame holds credentials in the clear.
    ///
    /// - Throws: `protocolBroken` if it has no place here, `abortedByHost`, or what sending an answer throws.
    func handle(_ frame: inout Frame) throws(SessionError) {
        defer { frame.body.wipe() }
        let message: Message?
        do {
            message = try judge(frame)
        } catch {
            throw .protocolBroken(error)
        }
        if let message { try act(on: message, stream: frame.stream) } else { lateFrames += 1 }
    }

    /// The frame's message; nil if it comes too late to mean anything.
    private func judge(_ frame: Frame) throws(ABIError) -> Message? {
        _ = try lifecycle.advance(on: frame.kind, stream: frame.stream, from: .host)
        let message = try Message(frame)
        return try isLate(frame) ? nil : message
    }

    /// True for an answer, a credit or a cancellation that crossed the end of its stream (abi-v1.md, ABI-7.3).
    private func isLate(_ frame: Frame) throws(ABIError) -> Bool {
        let wasOpened: Bool
        let isOpen: Bool
        switch frame.kind {
        case .cancel, .credit:
            wasOpened = frame.stream <= lastCallStream
            isOpen = calls[frame.stream] != nil
        case .result, .error, .cancelled:
            wasOpened = frame.stream < nextHostStream
            isOpen = hostCalls[frame.stream].map { $0.answer == nil } ?? false
        default: return false
        }
        guard wasOpened else {
            throw ABIError(.unknownStream, "\(frame.kind) for stream \(frame.stream), which was never opened")
        }
        return !isOpen
    }

    private func act(on message: Message, stream: UInt64) throws(SessionError) {
        switch message {
        case .welcome(let version, _, let bodyLimit): try welcomed(version: version, bodyLimit: bodyLimit)
        case .abort(let error): throw .abortedByHost(error)
        case .initialize(let bytes): configuration = bytes
        case .start:
            sendTools()
            try send(.started)
        case .stop(let deadline): try stop(deadline)
        case .dispose: try send(.disposed)
        case .ping(let nonce): try send(.pong(nonce: nonce))
        case .call(let call): try open(call, stream: stream)
        case .cancel: cancel(stream)
        case .credit(let bytes): try grant(bytes, stream: stream)
        case .result(let payload):
            if let descriptor = link.takeDescriptor() {
                hostCalls[stream]?.parent.sockets[stream] = ArrivedSocket(descriptor)
            }
            deliver(.success(payload), stream: stream)
        case .error(let error, let retryable):
            deliver(.failure(ToolError(error.code, error.message, retryable: retryable)), stream: stream)
        case .cancelled: deliver(.failure(.cancelled), stream: stream)
        case .pong, .hello, .initialized, .started, .stopped, .disposed, .hostCall, .log, .progress, .data, .tools:
            break
        }
    }

    private func welcomed(version: UInt32, bodyLimit: UInt32) throws(SessionError) {
        let supported = VersionRange.supported
        guard (supported.minimum...supported.maximum).contains(version) else {
            throw .protocolBroken(
                ABIError(.noCommonVersion, "the host chose ABI \(version); this plugin speaks \(supported)"))
        }
        guard (ABILimits.handshakeBodyBytes...ABILimits.bodyBytes).contains(Int(bodyLimit)) else {
            throw .protocolBroken(
                ABIError(.malformedFrame, "the host takes bodies of \(bodyLimit) bytes at most (ABI-5.4)"))
        }
        outgoingLimit = min(Int(bodyLimit), ABILimits.bodyBytes)
        link.bodyLimit = ABILimits.bodyBytes
    }

    /// Configures the plugin, without the lock: the author's code may log.
    func initialize(_ configuration: [UInt8]) throws(SessionError) {
        var refusal: ToolError?
        do {
            try plugin.configurationHandler?(JSONValue(parsing: configuration))
        } catch {
            refusal = ToolError(describing: error).clipped
        }
        try guarded { () throws(SessionError) in
            guard let refusal else { return try send(.initialized) }
            try send(.error(ABIError(refusal.code, refusal.message), retryable: refusal.retryable))
            throw .notStarted("\(refusal)")
        }
    }

    /// Calls in flight may go on until shortly before the host's deadline, so that their ends arrive in time.
    private func stop(_ deadline: UInt64) throws(SessionError) {
        let now = Clock.unixMilliseconds()
        let left = deadline > now ? deadline - now : 0
        drainDeadline = deadline - min(left / 4, 250)
        try settle()
    }

    private func grant(_ bytes: UInt32, stream: UInt64) throws(SessionError) {
        guard let call = calls[stream] else { return }
        guard call.credit + Int(bytes) <= ABILimits.creditBytes else {
            throw .protocolBroken(
                ABIError(
                    .flowControl,
                    "\(bytes) bytes more make \(call.credit + Int(bytes)) of credit on stream \(stream); the limit is "
                        + "\(ABILimits.creditBytes)"))
        }
        call.credit += Int(bytes)
        resumeSenders(of: call)
    }
}
