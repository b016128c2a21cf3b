// What a handler asks of the session while its call is open. Callers do not hold the lock.

extension Session {
    func isCancelled(_ call: ToolCall) -> Bool {
        if isOnItsThread, guarded({ failure == nil }) {
            do {
                try receiveWaiting()
            } catch {
                guarded { failure = error }
            }
        }
        return guarded { failure != nil || calls[call.stream] !== call || call.wasCancelled }
    }

    func log(_ level: Message.LogLevel, _ message: String, _ fields: JSONValue, stream: UInt64) {
        let named = fields.objectValue?.isEmpty == false ? fields.encoded() : nil
        guarded {
            guard stream == 0 ? lifecycle.state != .created && !lifecycle.state.isFinal : calls[stream] != nil
            else { return }
            guard !link.isCongested else { return lostRecords += 1 }
            if lostRecords > 0 {
                let notice = "\(lostRecords) records are missing here: the host took them too slowly"
                lostRecords = 0
                sendOrFail(.log(Message.LogRecord(level: .warning, message: notice)))
            }
            let text = message.clipped(toBytes: ABILimits.textBytes)
            let fits = (named?.count ?? 0) + text.utf8.count + 64 <= min(outgoingLimit, ABILimits.jsonBytes)
            sendOrFail(
                .log(Message.LogRecord(level: level, message: text, fields: fits ? named : nil)), stream: stream)
        }
    }

    func progress(_ progress: Message.Progress, of call: ToolCall) {
        guarded {
            guard calls[call.stream] === call, !link.isCongested else { return }
            var progress = progress
            progress.message = progress.message?.clipped(toBytes: min(ABILimits.textBytes, outgoingLimit / 2))
            sendOrFail(.progress(progress), stream: call.stream)
        }
    }

    /// Sends as many of the bytes as the call has credit for, and says how many that were.
    func sendData(_ bytes: ArraySlice<UInt8>, of call: ToolCall) throws(ToolError) -> Int {
        try guarded { () throws(ToolError) in
            try check(call)
            let most = min(call.credit, bytes.count)
            var sent = 0
            while sent < most {
                let count = min(most - sent, ABILimits.dataBytes, outgoingLimit - 6)
                let start = bytes.startIndex + sent
                sendOrFail(.data(Array(bytes[start..<start + count])), stream: call.stream)
                sent += count
            }
            call.credit -= sent
            return sent
        }
    }

    /// Opens a host call. Whoever opened it takes the answer by `wait` or `resume`.
    func openHostCall(
        _ service: String, _ content: Message.Payload, of call: ToolCall
    ) throws(ToolError) -> UInt64 {
        try guarded { () throws(ToolError) in
            try check(call)
            let size = content.json.count + content.bytes.count + service.utf8.count + 256
            guard content.json.count <= ABILimits.jsonBytes, size <= outgoingLimit else {
                throw ToolError(.invalidArguments, "a request of \(size) bytes is over the limit of \(outgoingLimit)")
            }
            guard hostCalls.count < ABILimits.openHostCalls else {
                throw ToolError(
                    .unavailable, "\(hostCalls.count) requests to the host are open; wait for one", retryable: true)
            }
            let stream = nextHostStream
            nextHostStream += 2
            hostCalls[stream] = HostCall(parent: call)
            sendOrFail(
                .hostCall(
                    Message.HostCall(
                        service: service, parent: call.stream, content: content, traceparent: call.traceparent)),
                stream: stream)
            return stream
        }
    }

    /// The caller holds the lock.
    private func check(_ call: ToolCall) throws(ToolError) {
        if let failure { throw ToolError(.unavailable, "\(failure)") }
        guard calls[call.stream] === call else { throw .over }
        if call.wasCancelled { throw .cancelled }
    }

    /// Gives an answer to whoever waits for it. The caller holds the lock.
    func deliver(_ answer: Result<Message.Payload, ToolError>, stream: UInt64) {
        guard let hostCall = hostCalls[stream] else { return }
        if let resume = hostCall.resume {
            hostCalls[stream] = nil
            resume(answer)
        } else {
            hostCalls[stream]?.answer = answer
        }
    }

    /// Has the answer given to `body`, at once if it is there. The caller holds the lock.
    func resume(_ stream: UInt64, _ body: @escaping (Result<Message.Payload, ToolError>) -> Void) {
        guard let hostCall = hostCalls[stream] else { return body(.failure(.over)) }
        hostCalls[stream]?.resume = body
        if let answer = hostCall.answer { deliver(answer, stream: stream) }
    }

    /// Tells the host that nobody waits for this answer any more; if it still comes, it is late. The caller holds the
    /// lock.
    func giveUp(_ stream: UInt64, _ error: ToolError) {
        guard let hostCall = hostCalls[stream], hostCall.answer == nil else { return }
        sendOrFail(.cancel(reason: "nobody waits for the answer"), stream: stream)
        deliver(.failure(error), stream: stream)
    }

    /// Ends every wait of an asynchronous call. The caller holds the lock.
    func endWaits(of call: ToolCall, _ error: ToolError) {
        for (stream, hostCall) in hostCalls where hostCall.parent === call && hostCall.resume != nil {
            giveUp(stream, error)
        }
        resumeSenders(of: call)
    }

    /// The caller holds the lock.
    func resumeSenders(of call: ToolCall) {
        let waiting = call.sendersWaiting
        call.sendersWaiting.removeAll()
        for resume in waiting.values { resume() }
    }

    /// Waits on the session's thread, handling what comes, until `value` gives something.
    func wait<Value>(_ call: ToolCall, for what: String, _ value: () -> Value?) throws(ToolError) -> Value {
        guard isOnItsThread else { throw .offItsThread }
        while true {
            if let found = guarded(value) { return found }
            let (next, drain) = try guarded { () throws(ToolError) in
                try check(call)
                return (nextDeadline ?? .max, drainDeadline ?? .max)
            }
            let limit = min(call.deadline, drain)
            do {
                if try receiveOne(before: min(limit, next)) { continue }
            } catch {
                guarded { failure = error }
                continue
            }
            guarded { expire() }
            if limit <= next {
                throw drain < call.deadline
                    ? ToolError(.unavailable, "the plugin was stopped before \(what)", retryable: true)
                    : ToolError(.deadlineExceeded, "the call's deadline came before \(what)", retryable: true)
            }
        }
    }
}

extension ToolError {
    static let over = ToolError(.unavailable, "the call is over; a ToolCall is valid until its call has ended")
    static let offItsThread = ToolError(
        .internalError, "this waits on the thread of the session; write \"await\" before it in an asynchronous tool")
}
