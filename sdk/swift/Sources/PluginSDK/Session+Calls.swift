// From a call to its one terminal frame. Everything here runs with the lock held, but for `serve` and `finish`.

extension Session {
    func open(_ message: Message.Call, stream: UInt64) throws(SessionError) {
        guard stream > lastCallStream else {
            throw .protocolBroken(
                ABIError(.unknownStream, "a call on stream \(stream) after one on \(lastCallStream); streams rise"))
        }
        lastCallStream = stream
        let call = ToolCall(message, stream: stream, session: self)
        calls[stream] = call
        switch plugin.handler(of: call.tool) {
        case .waiting: queue.append(stream)
        case .concurrent(let start):
            if let error = reasonNotToBegin(call) { return end(call, with: error) }
            call.cancelTask = start(call)
        case nil: end(call, with: unknownTool(call))
        }
    }

    private func unknownTool(_ call: ToolCall) -> ToolError {
        let known = (plugin.tools + (plugin.connector?.tools ?? [])).map(\.name).sorted().joined(separator: ", ")
        return ToolError(.unknownTool, "\(plugin.name) has no tool \"\(call.tool)\"; it has: \(known)")
    }

    private func reasonNotToBegin(_ call: ToolCall) -> ToolError? {
        let now = Clock.unixMilliseconds()
        if call.deadline <= now {
            return ToolError(.deadlineExceeded, "the deadline passed before the call began", retryable: true)
        }
        if let drainDeadline, drainDeadline <= now {
            return ToolError(.unavailable, "the plugin stopped before the call began", retryable: true)
        }
        return nil
    }

    /// Runs the handler of a waiting tool to its end, on the session's thread and without the lock.
    func serve(_ call: ToolCall) {
        // A connector may have taken it away while the call was queued.
        guard case .waiting(let handler) = plugin.handler(of: call.tool) else {
            return finish(call, .failure(unknownTool(call)))
        }
        if let error = guarded({ reasonNotToBegin(call) }) { return finish(call, .failure(error)) }
        do {
            var result = try call.checked(handler(call))
            if isTooLong(result) {
                try call.send(result.bytes)
                result = .json(result.value)
            }
            finish(call, .success(result))
        } catch {
            finish(call, .failure(error))
        }
    }

    /// Whether bytes have to travel as `data`: where one frame does not hold the result with them (abi-v1.md,
    /// ABI-7.13), or would hold up those of other calls.
    func isTooLong(_ result: ToolResult) -> Bool {
        guard !result.bytes.isEmpty else { return false }
        let room = guarded { outgoingLimit } - 2 * Self.fieldBytes - result.value.encoded().count
        return result.bytes.count > min(room, ToolResult.bytesInOneFrame)
    }

    /// A field's tag and length, before its value.
    private static let fieldBytes = 6

    /// Ends a call as its handler did. Nothing happens to one that was ended already: there is one terminal frame.
    func finish(_ call: ToolCall, _ outcome: Result<ToolResult, any Error>) {
        // An error may quote what it failed on.
        let outcome = outcome.mapError { error in
            var told = ToolError(describing: error)
            told.message = call.scrubbed(told.message)
            return told
        }
        guarded {
            guard calls[call.stream] === call else { return }
            switch outcome {
            case .success(let result): end(call, with: result)
            case .failure where call.wasCancelled: end(call, .cancelled(reason: "cancelled by the host"))
            case .failure(let error): end(call, with: error)
            }
        }
    }

    private func end(_ call: ToolCall, with result: ToolResult) {
        let payload = Message.Payload(result.value, bytes: result.bytes)
        let limit = min(ABILimits.jsonBytes, outgoingLimit - 2 * Self.fieldBytes - payload.bytes.count)
        guard payload.json.count <= limit else {
            return end(
                call,
                with: ToolError(
                    .pluginFailed,
                    "the result has \(payload.json.count) bytes of JSON; the limit is \(limit). Send what is large "
                        + "with ToolCall.send"))
        }
        end(call, .result(payload))
    }

    func end(_ call: ToolCall, with error: ToolError) {
        var told = error.clipped
        // Beside it there are a code and the fields' tags and lengths.
        told.message = told.message.clipped(toBytes: outgoingLimit - 2 * ABILimits.nameBytes)
        end(call, .error(ABIError(told.code, told.message), retryable: told.retryable))
    }

    private func end(_ call: ToolCall, _ terminal: Message) {
        guard calls.removeValue(forKey: call.stream) != nil else { return }
        queue.removeAll { $0 == call.stream }
        endWaits(of: call, .over)
        hostCalls = hostCalls.filter { $0.value.parent !== call }
        call.close()
        sendOrFail(terminal, stream: call.stream)
        do {
            if failure == nil { try settle() }
        } catch {
            failure = error
        }
    }

    /// A queued call ends at once; a running one is told, and ends when its handler does.
    func cancel(_ stream: UInt64) {
        guard let call = calls[stream], !call.wasCancelled else { return }
        call.wasCancelled = true
        if queue.contains(stream) { return end(call, .cancelled(reason: "cancelled before it began")) }
        if let cancelTask = call.cancelTask { afterwards.append(cancelTask) }
        if call.cancelTask != nil { endWaits(of: call, .cancelled) }
    }

    /// The next time at which an asynchronous call has to be ended from outside; waiting ones see to it themselves.
    var nextDeadline: UInt64? {
        let deadlines = calls.values.filter { $0.cancelTask != nil }.map(\.deadline)
        return deadlines.min().map { min($0, drainDeadline ?? .max) }
    }

    /// Ends the asynchronous calls whose time is up, whatever their handlers do.
    func expire() {
        let now = Clock.unixMilliseconds()
        for call in calls.values where call.cancelTask != nil {
            if call.deadline <= now {
                terminate(call, ToolError(.deadlineExceeded, "the call's deadline passed", retryable: true))
            } else if let drainDeadline, drainDeadline <= now {
                terminate(call, ToolError(.unavailable, "the plugin was stopped", retryable: true))
            }
        }
    }

    private func terminate(_ call: ToolCall, _ error: ToolError) {
        if let cancelTask = call.cancelTask { afterwards.append(cancelTask) }
        end(call, with: error)
    }

    /// Says that the plugin has stopped once no call is open.
    func settle() throws(SessionError) {
        guard lifecycle.state == .stopping, calls.isEmpty else { return }
        try send(.stopped)
        drainDeadline = nil
    }

    /// The session is over: nobody shall wait for anything any more.
    func abandonAll(_ error: SessionError) {
        failure = failure ?? error
        for call in calls.values {
            if let cancelTask = call.cancelTask { afterwards.append(cancelTask) }
            endWaits(of: call, ToolError(.unavailable, "\(error)"))
            call.close()
        }
        calls.removeAll()
        hostCalls.removeAll()
    }
}
