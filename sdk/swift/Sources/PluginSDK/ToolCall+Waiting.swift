// What a waiting tool asks of the host: each holds up the thread of the session, which goes on reading meanwhile.

extension ToolCall {
    /// Asks the host for a service on behalf of this call and waits for its answer.
    ///
    /// - Throws: the host's error; `cancelled`, `deadline-exceeded`, or `unavailable` if the session ended meanwhile.
    @available(*, noasync, message: "an asynchronous tool awaits it")
    public func callHost(_ service: String, _ content: Message.Payload) throws(ToolError) -> Message.Payload {
        try ask(service, content).payload
    }

    private func ask(
        _ service: String, _ content: Message.Payload
    ) throws(ToolError) -> (stream: UInt64, payload: Message.Payload) {
        guard session.isOnItsThread else { throw .offItsThread }
        let session = session
        let stream = try session.openHostCall(service, content, of: self)
        defer {
            session.guarded {
                session.giveUp(stream, .over)
                session.hostCalls[stream] = nil
            }
        }
        let answer = try session.wait(self, for: "the host answered \(service)") { session.hostCalls[stream]?.answer }
        return (stream, try answer.get())
    }

    /// Sends a part of the byte payload of the answer. Waits for credit where the host takes more slowly.
    ///
    /// - Throws: `cancelled`, `deadline-exceeded`, `unavailable`.
    @available(*, noasync, message: "an asynchronous tool awaits it")
    public func send(_ bytes: some Collection<UInt8>) throws(ToolError) {
        guard session.isOnItsThread else { throw .offItsThread }
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(try session.sendData(rest, of: self))
            if rest.isEmpty { return }
            try session.wait(self, for: "the host granted credit") { credit > 0 ? () : nil }
        }
    }

    /// Has the host make an HTTP request on behalf of this call.
    ///
    /// - Throws: `permission-denied` (the message names the rule and what would allow it), `unavailable`,
    ///   `deadline-exceeded`, `invalid-arguments`, `cancelled`.
    @available(*, noasync, message: "an asynchronous tool awaits it")
    public func http(_ request: HTTPRequest) throws(ToolError) -> HTTPResponse {
        var content = try content(of: request)
        // Its headers may hold a credential; the frame made of it is overwritten where it is sent.
        defer { content.json.wipe() }
        return try HTTPResponse(callHost("http.fetch", content))
    }

    /// Asks for something of the plugin's own store (permission `kv`).
    ///
    /// - Throws: `permission-denied`, `invalid-arguments`, `unavailable`, `deadline-exceeded`, `cancelled`.
    @available(*, noasync, message: "an asynchronous tool awaits it")
    public func store<Answer>(_ request: StoreRequest<Answer>) throws(ToolError) -> Answer {
        try request.read(callHost(request.service, request.content))
    }

    /// Has the host connect to a host and port of the manifest (permission `net.connect`), on behalf of this call.
    ///
    /// - Throws: `permission-denied` (the message names the rule and what would allow it), `unavailable`,
    ///   `invalid-arguments`, `cancelled`.
    @available(*, noasync, message: "an asynchronous tool awaits it")
    public func connect(_ host: String, port: Int) throws(ToolError) -> Connection {
        try connection(ask("net.connect", Self.request(host, port)).stream)
    }
}
