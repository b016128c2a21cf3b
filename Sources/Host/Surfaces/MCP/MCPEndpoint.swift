// The agents' door: one MCP message in, one answer out (specification 2026-07-28, and the 2025-11-25 handshake).
//
// Whoever writes these bytes is a stranger until the authenticator has named them, and a user of tools after that,
// never more: nothing in a body or a header but a bearer token says who calls, except that `_meta` may name the end
// user for whom a token was made to act. The endpoint decodes, asks the core, encodes. It keeps nothing between two
// messages, so either revision can be spoken at any time, and no session can be stolen.
public import HostCore
internal import JSONBytes

/// Answers MCP messages over any transport that can carry a request and its reply.
public struct MCPEndpoint: Sendable {
    let host: any ToolHost
    let version: String
    let listeners: MCPListeners
    let calls = MCPOpenCalls()
    let requests: SecretRequests?

    /// - Parameters:
    ///   - version: of this program, told to clients as `serverInfo`.
    ///   - requests: where users are sent for credentials that a call lacks.
    public init(
        pipeline: CallPipeline, catalog: PluginCatalog, authenticator: Authenticator, version: String,
        requests: SecretRequests? = nil
    ) {
        let host = PipelineToolHost(pipeline: pipeline, catalog: catalog, authenticator: authenticator)
        self.init(host: host, version: version, requests: requests)
    }

    init(host: any ToolHost, version: String, requests: SecretRequests? = nil) {
        self.host = host
        self.requests = requests
        self.version = version
        listeners = MCPListeners { host.toolChanges() }
    }

    /// Ends the streams of those who listen, so that the host can stop; calls end by themselves.
    public func close() { listeners.close() }

    /// The answer to one HTTP request at the MCP endpoint. Cancelling the task cancels the tool call behind it.
    public func respond(to request: MCPRequest) async -> MCPResponse {
        var presented = request.presented
        presented.onBehalfOf = nil
        do throws(MCPFault) {
            let actor = try authenticate(presented)
            if request.method == "GET" { return try listen(request, actor: actor) }
            try checkTransport(request)
            switch try MCPMessage(parsing: request.body) {
            case .response: return MCPResponse(status: 202)
            case .notification(let cancelled):
                try MCPRevision.checkNotification(request)
                if let cancelled, let session = MCPSession.of(request) {
                    calls.cancel(MCPOpenCalls.Key(actor: actor, session: session, id: cancelled))
                }
                return MCPResponse(status: 202)
            case .request(let message): return await answer(message, to: request, from: presented, actor: actor)
            }
        } catch {
            return MCPResponse(error)
        }
    }

    private func answer(
        _ message: MCPMessage.Request, to request: MCPRequest, from stranger: Presented, actor: String
    ) async -> MCPResponse {
        var presented = stranger
        do throws(MCPFault) {
            let revision = try MCPRevision(of: message, in: request)
            if let principal = try message.principal() {
                presented.onBehalfOf = principal
                // A call is left to the core, which records who tried to act for whom.
                if message.method != "tools/call" { try authenticate(presented) }
            }
            switch (message.method, revision) {
            case ("tools/call", _):
                return try await perform(message, revision, for: request, as: presented, actor: actor)
            case ("subscriptions/listen", .stateless): return try subscribe(message, for: request, actor: actor)
            default: break
            }
            let result = try result(of: message, revision)
            var response = MCPResponse(result: revision.complete(result, version: version), id: message.id)
            if message.method == "initialize" {
                response.headers.append((MCPSession.header, MCPHandshake.session(for: message)))
            }
            return response
        } catch {
            return MCPResponse(error, id: message.id)
        }
    }

    private func result(
        of message: MCPMessage.Request, _ revision: MCPRevision
    ) throws(MCPFault) -> JSONObject {
        switch (message.method, revision) {
        case ("initialize", .handshake): return try MCPHandshake.result(of: message, version: version)
        case ("ping", .handshake): return JSONObject()
        case ("server/discover", .stateless): return MCPDiscovery.result
        case ("tools/list", _): return try MCPToolListing.result(of: message, tools: host.listTools(), revision)
        default: throw revision.unknownMethod(message.method)
        }
    }

    /// - Returns: who is connected.
    @discardableResult
    private func authenticate(_ presented: Presented) throws(MCPFault) -> String {
        do throws(HostError) {
            return try host.authenticate(presented)
        } catch {
            throw MCPFault(refusing: presented, error)
        }
    }

    /// What HTTP itself must show, before the body is looked at.
    private func checkTransport(_ request: MCPRequest) throws(MCPFault) {
        guard request.method == "POST" else {
            let reason = "\(JSONValue.quoted(request.method)) is not served here; POST one message"
            throw MCPFault(status: 405, .invalidRequest, reason, headers: [("Allow", "GET, POST")])
        }
        guard request.body.count <= MCPLimits.messageBytes else {
            throw MCPFault(
                status: 413, .invalidRequest,
                "the message has \(request.body.count) bytes; the limit is \(MCPLimits.messageBytes)")
        }
        // A web page can send any other type to us without asking the browser first.
        guard request.isStdio || request.isJSON else {
            throw MCPFault(status: 415, .invalidRequest, "send the message with Content-Type: application/json")
        }
    }
}
