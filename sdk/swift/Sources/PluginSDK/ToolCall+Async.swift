// What an asynchronous tool asks of the host. The task waits; no thread does. Cancelling the task ends the wait.

extension ToolCall {
    /// Asks the host for a service on behalf of this call and waits for its answer.
    ///
    /// - Throws: the host's error; `cancelled`, `deadline-exceeded`, or `unavailable` if the session ended meanwhile.
    public func callHost(_ service: String, _ content: Message.Payload) async throws(ToolError) -> Message.Payload {
        try await answer(on: try session.openHostCall(service, content, of: self))
    }

    private func answer(on stream: UInt64) async throws(ToolError) -> Message.Payload {
        let answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                session.guarded {
                    session.resume(stream) { continuation.resume(returning: $0) }
                    if Task.isCancelled { session.giveUp(stream, .cancelled) }
                }
            }
        } onCancel: {
            session.guarded { session.giveUp(stream, .cancelled) }
        }
        return try answer.get()
    }

    /// Sends a part of the byte payload of the answer. Waits for credit where the host takes more slowly.
    ///
    /// - Throws: `cancelled`, `deadline-exceeded`, `unavailable`.
    public func send(_ bytes: some Collection<UInt8> & Sendable) async throws(ToolError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            if Task.isCancelled { throw .cancelled }
            rest = rest.dropFirst(try session.sendData(rest, of: self))
            if rest.isEmpty { return }
            await credit()
        }
    }

    /// Waits until there is credit, or no sense in waiting for it.
    private func credit() async {
        let ticket = session.guarded {
            session.lastTicket += 1
            return session.lastTicket
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                session.guarded {
                    let isOpen = session.calls[stream] === self && session.failure == nil && !wasCancelled
                    if credit > 0 || !isOpen || Task.isCancelled { return continuation.resume() }
                    sendersWaiting[ticket] = { continuation.resume() }
                }
            }
        } onCancel: {
            session.guarded { sendersWaiting.removeValue(forKey: ticket)?() }
        }
    }

    /// Has the host make an HTTP request on behalf of this call.
    ///
    /// - Throws: `permission-denied` (the message names the rule and what would allow it), `unavailable`,
    ///   `deadline-exceeded`, `invalid-arguments`, `cancelled`.
    public func http(_ request: HTTPRequest) async throws(ToolError) -> HTTPResponse {
        var content = try content(of: request)
        // Its headers may hold a credential; the frame made of it is overwritten where it is sent.
        defer { content.json.wipe() }
        return try HTTPResponse(await callHost("http.fetch", content))
    }

    /// Asks for something of the plugin's own store (permission `kv`).
    ///
    /// - Throws: `permission-denied`, `invalid-arguments`, `unavailable`, `deadline-exceeded`, `cancelled`.
    public func store<Answer>(_ request: StoreRequest<Answer>) async throws(ToolError) -> Answer {
        try request.read(await callHost(request.service, request.content))
    }

    /// Has the host connect to a host and port of the manifest (permission `net.connect`), on behalf of this call.
    ///
    /// - Throws: `permission-denied` (the message names the rule and what would allow it), `unavailable`,
    ///   `invalid-arguments`, `cancelled`.
    public func connect(_ host: String, port: Int) async throws(ToolError) -> Connection {
        let stream = try session.openHostCall("net.connect", Self.request(host, port), of: self)
        _ = try await answer(on: stream)
        return try connection(stream)
    }
}
