// What takes longer than an answer: a call that says how far it is, and listening for changes.
internal import HostCore
internal import JSONBytes

extension MCPEndpoint {
    /// Makes a call. The answer is one body, as long as the plugin has told of nothing; with the first word of a call
    /// whose agent asked for progress and reads events, it becomes a stream that ends with the answer. Hanging up,
    /// cancelling the task and `notifications/cancelled` end the call alike.
    func perform(
        _ message: MCPMessage.Request, _ revision: MCPRevision, for request: MCPRequest, as presented: Presented,
        actor: String
    ) async throws(MCPFault) -> MCPResponse {
        var call = try MCPToolCall(message, in: request, presented: presented)
        call.elicitation = try elicitation(message, revision, for: request, as: presented, actor: actor)
        let token = try MCPProgressToken.of(message)
        let feed = request.reads(MCPEvent.mediaType) ? token.map(MCPCallFeed.init) : nil
        if let feed { call.request.progress = { feed.report($0) } }
        let ticket = calls.begin(
            MCPSession.of(request).map { MCPOpenCalls.Key(actor: actor, session: $0, id: message.id) })
        let work = Task { [call] in
            let answer = await answer(call, revision, id: message.id)
            calls.end(ticket)
            feed?.end(with: answer)
            return answer
        }
        calls.whenCancelled(ticket) { work.cancel() }
        return await withTaskCancellationHandler {
            guard let feed else { return await work.value }
            if let answer = await feed.answerUnlessProgress() { return answer }
            guard !Task.isCancelled else { return await work.value }
            return MCPResponse(events: BodyStream(next: { await feed.next() }, close: { work.cancel() }))
        } onCancel: {
            work.cancel()
        }
    }

    private func answer(_ call: MCPToolCall, _ revision: MCPRevision, id: JSONValue) async -> MCPResponse {
        do throws(MCPFault) {
            return MCPResponse(
                result: revision.complete(try await call.result(from: host, revision), version: version), id: id)
        } catch {
            return MCPResponse(error, id: id)
        }
    }

    /// The GET stream of the handshake revisions. From 2026-07-28 there is none.
    func listen(_ request: MCPRequest, actor: String) throws(MCPFault) -> MCPResponse {
        try MCPRevision.checkStream(request)
        try requireEvents(request)
        let listener = MCPListener(announcement: MCPEvent.notification(MCPAnnouncement.method, JSONObject()))
        return MCPResponse(events: try listeners.open(listener, for: actor, session: MCPSession.name(in: request)))
    }

    /// `subscriptions/listen`, from 2026-07-28. The answer to the request ends the stream.
    func subscribe(
        _ message: MCPMessage.Request, for request: MCPRequest, actor: String
    ) throws(MCPFault) -> MCPResponse {
        guard let wanted = message.params["notifications"]?.objectValue else {
            throw MCPFault(status: 400, .invalidParams, "subscriptions/listen needs the object \"notifications\"")
        }
        try requireEvents(request)
        let mark = JSONObject([(key: MCPMetaKey.subscription, value: message.id)])
        let hearsOfTools = wanted[MCPAnnouncement.filter] == true
        var honored = JSONObject()
        if hearsOfTools { honored[MCPAnnouncement.filter] = true }
        let end = MCPResponse(
            result: MCPRevision.stateless.complete(
                JSONObject([(key: "_meta", value: .object(mark))]), version: version), id: message.id)
        let listener = MCPListener(
            greeting: MCPEvent.notification(
                "notifications/subscriptions/acknowledged",
                JSONObject([(key: "notifications", value: .object(honored)), (key: "_meta", value: .object(mark))])),
            announcement: hearsOfTools
                ? MCPEvent.notification(
                    MCPAnnouncement.method, JSONObject([(key: "_meta", value: .object(mark))])) : nil,
            farewell: MCPEvent.message(end.body))
        return MCPResponse(events: try listeners.open(listener, for: actor))
    }

    private func requireEvents(_ request: MCPRequest) throws(MCPFault) {
        guard request.reads(MCPEvent.mediaType) else {
            throw MCPFault(status: 406, .invalidRequest, "this stream needs Accept: \(MCPEvent.mediaType)")
        }
    }
}

/// The one thing that changes by itself.
enum MCPAnnouncement {
    static let method = "notifications/tools/list_changed"
    /// Its name in the filter of `subscriptions/listen`.
    static let filter = "toolsListChanged"
}
