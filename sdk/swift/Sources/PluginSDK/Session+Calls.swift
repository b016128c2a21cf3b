extension Session {
    /// Runs one call to its end, which is exactly one terminal frame.
    func serve(_ queued: QueuedCall) throws(SessionError) {
        active = ActiveCall(stream: queued.stream)
        let outcome = outcome(of: queued)
        let isCancelled = active?.isCancelled == true
        active = nil
        if let failure { throw failure }
        switch outcome {
        case .success(let result): try answer(result, stream: queued.stream)
        case .failure where isCancelled: try send(.cancelled(reason: "cancelled by the host"), stream: queued.stream)
        case .failure(let error): try fail(error, stream: queued.stream)
        }
    }

    private func outcome(of queued: QueuedCall) -> Result<ToolResult, ToolError> {
        let now = Clock.unixMilliseconds()
        guard let handler = plugin.tools[queued.call.tool] else {
            let known = plugin.tools.keys.sorted().joined(separator: ", ")
            return .failure(
                ToolError(.unknownTool, "\(plugin.name) has no tool \"\(queued.call.tool)\"; it has: \(known)"))
        }
        guard queued.call.deadline > now else {
            return .failure(ToolError(.deadlineExceeded, "the deadline passed before the call began", retryable: true))
        }
        if let stopDeadline, stopDeadline <= now {
            return .failure(ToolError(.unavailable, "the plugin stopped before the call began", retryable: true))
        }
        guard let arguments = try? JSONValue(parsing: queued.call.arguments), arguments.objectValue != nil else {
            return .failure(ToolError(.invalidArguments, "the arguments must be one JSON object"))
        }
        let call = ToolCall(queued.call, arguments: arguments, stream: queued.stream, session: self)
        defer { call.finish() }
        do {
            return .success(try handler(call))
        } catch {
            return .failure(ToolError(describing: error))
        }
    }

    private func answer(_ result: ToolResult, stream: UInt64) throws(SessionError) {
        let payload = Message.Payload(result.value)
        // Six bytes of the body are the field's tag and length.
        let limit = min(ABILimits.jsonBytes, outgoingLimit - 6)
        guard payload.json.count <= limit else {
            return try fail(
                ToolError(.pluginFailed, "the result has \(payload.json.count) bytes; the limit is \(limit)"),
                stream: stream)
        }
        try send(.result(payload), stream: stream)
    }

    private func fail(_ error: ToolError, stream: UInt64) throws(SessionError) {
        let told = error.clipped
        try send(.error(ABIError(told.code, told.message), retryable: told.retryable), stream: stream)
    }

    // MARK: what a handler asks of the session

    func isCancelled() -> Bool {
        if failure == nil {
            do {
                try receiveWaiting()
            } catch {
                failure = error
            }
        }
        return failure != nil || active?.isCancelled == true
    }

    func log(_ level: Message.LogLevel, _ message: String, stream: UInt64) {
        guard failure == nil else { return }
        do {
            let text = message.clipped(toBytes: ABILimits.textBytes)
            try send(.log(Message.LogRecord(level: level, message: text)), stream: stream)
        } catch {
            failure = error
        }
    }

    func callHost(
        _ service: String, _ content: Message.Payload, parent: UInt64, deadline: UInt64
    ) throws(ToolError) -> Message.Payload {
        if active?.isCancelled == true { throw .cancelled }
        let size = content.json.count + content.bytes.count + service.utf8.count + 64
        guard content.json.count <= ABILimits.jsonBytes, size <= outgoingLimit else {
            throw ToolError(.invalidArguments, "a request of \(size) bytes is over the limit of \(outgoingLimit)")
        }
        if let failure { throw ToolError(.unavailable, "\(failure)") }
        let stream = nextHostStream
        nextHostStream += 2
        awaited = AwaitedAnswer(stream: stream)
        defer { awaited = nil }
        do {
            try send(.hostCall(Message.HostCall(service: service, parent: parent, content: content)), stream: stream)
            while awaited?.answer == nil, active?.isCancelled != true {
                guard try receiveOne(before: min(deadline, stopDeadline ?? .max)) else { break }
            }
        } catch {
            failure = error
            throw ToolError(.unavailable, "\(error)")
        }
        if let answer = awaited?.answer { return try answer.get() }
        giveUp(stream)
        if active?.isCancelled == true { throw .cancelled }
        if let stopDeadline, stopDeadline < deadline {
            throw ToolError(.unavailable, "the plugin was stopped before the host answered \(service)", retryable: true)
        }
        throw ToolError(.deadlineExceeded, "the host did not answer \(service) before the call's deadline")
    }

    /// Tells the host that nobody waits for this answer any more; if it still comes, it is late.
    private func giveUp(_ stream: UInt64) {
        do {
            try send(.cancel(reason: "nobody waits for the answer"), stream: stream)
        } catch {
            failure = error
        }
    }
}
