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

    /// True for an answer or a cancellation that crossed the end of its stream (abi-v1.md, ABI-7.3).
    private func isLate(_ frame: Frame) throws(ABIError) -> Bool {
        let wasOpened: Bool
        let isOpen: Bool
        switch frame.kind {
        case .cancel, .credit:
            wasOpened = frame.stream <= lastCallStream
            isOpen = active?.stream == frame.stream || queue.contains { $0.stream == frame.stream }
        case .result, .error, .cancelled:
            wasOpened = frame.stream < nextHostStream
            isOpen = awaited?.stream == frame.stream && awaited?.answer == nil
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
        case .initialize(let configuration): try initialize(configuration)
        case .start: try send(.started)
        case .stop(let deadline): stopDeadline = deadline
        case .dispose: try send(.disposed)
        case .ping(let nonce): try send(.pong(nonce: nonce))
        case .call(let call): try enqueue(call, stream: stream)
        case .cancel: try cancel(stream)
        case .result(let payload): awaited?.answer = .success(payload)
        case .error(let error, let retryable):
            awaited?.answer = .failure(ToolError(error.code, error.message, retryable: retryable))
        case .cancelled: awaited?.answer = .failure(.cancelled)
        case .pong, .hello, .initialized, .started, .stopped, .disposed, .hostCall, .log, .progress, .data, .credit,
            .tools:
            break
        }
    }

    private func welcomed(version: UInt32, bodyLimit: UInt32) throws(SessionError) {
        let supported = VersionRange.supported
        guard (supported.minimum...supported.maximum).contains(version) else {
            throw .protocolBroken(
                ABIError(.noCommonVersion, "the host chose ABI \(version); this plugin speaks \(supported)"))
        }
        outgoingLimit = min(Int(bodyLimit), ABILimits.bodyBytes)
        link.bodyLimit = ABILimits.bodyBytes
    }

    private func initialize(_ configuration: [UInt8]) throws(SessionError) {
        do {
            try plugin.configurationHandler?(JSONValue(parsing: configuration))
        } catch {
            let told = ToolError(describing: error).clipped
            try send(.error(ABIError(told.code, told.message), retryable: told.retryable))
            throw .notStarted("\(told)")
        }
        try send(.initialized)
    }

    private func enqueue(_ call: Message.Call, stream: UInt64) throws(SessionError) {
        guard stream > lastCallStream else {
            throw .protocolBroken(
                ABIError(.unknownStream, "a call on stream \(stream) after one on \(lastCallStream); streams rise"))
        }
        lastCallStream = stream
        queue.append(QueuedCall(stream: stream, call: call))
    }

    /// A queued call ends at once; the running one is told, and ends when its handler does.
    private func cancel(_ stream: UInt64) throws(SessionError) {
        if active?.stream == stream {
            active?.isCancelled = true
        } else if let position = queue.firstIndex(where: { $0.stream == stream }) {
            queue.remove(at: position)
            try send(.cancelled(reason: "cancelled before it began"), stream: stream)
        }
    }
}
