internal import HostCore
internal import JSONBytes

/// `tools/call`. Two kinds of failure leave here: what an agent can act on is a result that says so, and what it cannot
/// is an error of the protocol.
struct MCPToolCall {
    var request: ToolRequest
    var elicitation: MCPElicitation?

    /// - Parameter http: the message as it came: the arguments are carried as their bytes, never written anew.
    init(_ message: MCPMessage.Request, in http: MCPRequest, presented: Presented) throws(MCPFault) {
        guard let tool = message.params["name"]?.stringValue else {
            throw MCPFault(status: 400, .invalidParams, "tools/call needs the string \"name\"")
        }
        let trace = http.trace(beside: try message.meta())
        request = ToolRequest(
            tool: tool, arguments: try Self.arguments(of: message, in: http.body), presented: presented,
            surface: http.surface, traceparent: trace.parent, tracestate: trace.state)
    }

    private static func arguments(of message: MCPMessage.Request, in body: [UInt8]) throws(MCPFault) -> [UInt8] {
        let arguments = message.params["arguments"] ?? .null
        guard arguments != .null else { return Array("{}".utf8) }
        do throws(JSONError) {
            let bytes = try JSONSlice.bytes(at: ["params", "arguments"], in: body, limits: MCPLimits.json)
            return bytes ?? Array("{}".utf8)
        } catch {
            throw MCPFault(status: 400, .parseError, "\(error)")
        }
    }

    func result(from host: any ToolHost, _ revision: MCPRevision) async throws(MCPFault) -> JSONObject {
        if let answer = try await elicitation?.answerBeforeCall() { return answer }
        do throws(HostError) {
            return try Self.result(of: try await host.callTool(request), revision)
        } catch let refusal {
            var error = refusal
            if let missing = error.missing, let elicitation, let call = error.call {
                switch try elicitation.ask(for: missing, call: call.requestID) {
                case .result(let result): return result
                case .words(let words): error.message += words
                }
            }
            let tool = host.listTools().first { $0.name == request.tool }
            if var fault = fault(for: error, tool: tool, host: host, revision) {
                fault.identify(error.call)
                throw fault
            }
            return Self.failure(error, hasSchema: tool.flatMap { MCPToolListing.outputSchema(of: $0, revision) } != nil)
        }
    }

    /// What is the protocol's business; nil for what the agent can act on. The code alone does not decide, because a
    /// plugin chooses the code of its own errors: it must not be able to say that the caller is unknown, or that a tool
    /// does not exist.
    private func fault(
        for error: HostError, tool: AgentTool?, host: any ToolHost, _ revision: MCPRevision
    ) -> MCPFault? {
        switch error.code {
        case .unknownTool where tool == nil:
            return MCPFault(status: revision.refusalStatus, .invalidParams, error.message)
        case .unauthenticated, .forbidden:
            do throws(HostError) {
                try host.authenticate(request.presented)
                return nil
            } catch {
                return MCPFault(refusing: request.presented, error)
            }
        case .auditFailed, .storageFailed, .secretUnreadable:
            // 200, because a call may have been made, and nothing on the way should repeat it for its status.
            return MCPFault(
                status: 200, .internalError, error.message,
                data: ["code": .string(error.code.rawValue), "retryable": .bool(error.retryable)])
        default: return nil
        }
    }

    private static func result(of answer: ToolResult, _ revision: MCPRevision) throws(HostError) -> JSONObject {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: answer.json)
        } catch {
            throw HostError(.pluginFailed, "the plugin's answer is not valid JSON: \(error)")
        }
        var result = content(MCPContent.blocks(answer, json: value))
        if revision == .stateless || value.objectValue != nil { result["structuredContent"] = value }
        result["isError"] = false
        result["_meta"] = .object(Self.names(of: answer.call))
        return result
    }

    /// Clients hold `structuredContent` to the tool's output schema, some even that of an error: then it is left out,
    /// and a program finds the code in `_meta`.
    private static func failure(_ error: HostError, hasSchema: Bool) -> JSONObject {
        var members = JSONObject([
            (key: "code", value: .string(error.code.rawValue)), (key: "message", value: .string(error.message)),
            (key: "retryable", value: .bool(error.retryable)),
        ])
        if let wait = error.retryAfterMilliseconds { members["retryAfterMilliseconds"] = JSONValue(wait) }
        let details = JSONValue.object(members)
        let advice = error.retryable ? " (the same call may succeed later)" : ""
        var result = content([MCPContent.text("\(error.code): \(error.message)\(advice)")])
        if !hasSchema { result["structuredContent"] = ["error": details] }
        result["isError"] = true
        var meta = error.call.map(names) ?? JSONObject()
        meta[MCPMetaKey.error] = details
        result["_meta"] = .object(meta)
        return result
    }

    /// What leads from an answer to the logs, and to the traces of others.
    private static func names(of call: CallIdentity) -> JSONObject {
        JSONObject([
            (key: MCPMetaKey.request, value: .string(call.requestID)),
            (key: MCPMetaKey.traceparent, value: .string(call.traceparent)),
        ])
    }

    private static func content(_ blocks: [JSONValue]) -> JSONObject {
        JSONObject([(key: "content", value: .array(blocks))])
    }
}
