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

    /// - Parameter version: of this program, told to clients as `serverInfo`.
    public init(pipeline: CallPipeline, catalog: PluginCatalog, authenticator: Authenticator, version: String) {
        let host = PipelineToolHost(pipeline: pipeline, catalog: catalog, authenticator: authenticator)
        self.init(host: host, version: version)
    }

    init(host: any ToolHost, version: String) {
        self.host = host
        self.version = version
    }

    /// The answer to one HTTP request at the MCP endpoint. Cancelling the task cancels the tool call behind it.
    public func respond(to request: MCPRequest) async -> MCPResponse {
        var presented = request.presented
        presented.onBehalfOf = nil
        do throws(MCPFault) {
            try authenticate(presented)
            try checkTransport(request)
            switch try MCPMessage(parsing: request.body) {
            case .response: return MCPResponse(status: 202)
            case .notification:
                try MCPRevision.checkNotification(request)
                return MCPResponse(status: 202)
            case .request(let message): return await answer(message, to: request, from: presented)
            }
        } catch {
            return MCPResponse(error)
        }
    }

    private func answer(
        _ message: MCPMessage.Request, to request: MCPRequest, from stranger: Presented
    ) async -> MCPResponse {
        var presented = stranger
        do throws(MCPFault) {
            let revision = try MCPRevision(of: message, in: request)
            if let principal = try message.principal() {
                presented.onBehalfOf = principal
                // A call is left to the core, which records who tried to act for whom.
                if message.method != "tools/call" { try authenticate(presented) }
            }
            let result = try await result(of: message, revision, presented, request)
            return MCPResponse(result: revision.complete(result, version: version), id: message.id)
        } catch {
            return MCPResponse(error, id: message.id)
        }
    }

    private func result(
        of message: MCPMessage.Request, _ revision: MCPRevision, _ presented: Presented, _ request: MCPRequest
    ) async throws(MCPFault) -> JSONObject {
        switch (message.method, revision) {
        case ("initialize", .handshake): return try MCPHandshake.result(of: message, version: version)
        case ("ping", .handshake): return JSONObject()
        case ("server/discover", .stateless): return MCPDiscovery.result
        case ("tools/list", _): return try MCPToolListing.result(of: message, tools: host.listTools(), revision)
        case ("tools/call", _):
            let call = try MCPToolCall(message, in: request, presented: presented)
            return try await call.result(from: host, revision)
        default: throw revision.unknownMethod(message.method)
        }
    }

    private func authenticate(_ presented: Presented) throws(MCPFault) {
        do throws(HostError) {
            try host.authenticate(presented)
        } catch {
            throw MCPFault(refusing: presented, error)
        }
    }

    /// What HTTP itself must show, before the body is looked at.
    private func checkTransport(_ request: MCPRequest) throws(MCPFault) {
        guard request.method == "POST" else {
            let reason = "\(JSONValue.quoted(request.method)) is not served here; POST one message"
            throw MCPFault(status: 405, .invalidRequest, reason, headers: [("Allow", "POST")])
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
