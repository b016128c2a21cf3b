internal import HostCore
internal import JSONBytes

/// `tools/call`. Two kinds of failure leave here: what an agent can act on is a result that says so, and what it cannot
/// is an error of the protocol.
struct MCPToolCall {
    var request: ToolRequest

    /// - Parameter body: the message as it came: the arguments are carried as their bytes, never written anew.
    init(_ message: MCPMessage.Request, body: [UInt8], presented: Presented, surface: String) throws(MCPFault) {
        guard let tool = message.params["name"]?.stringValue else {
            throw MCPFault(status: 400, .invalidParams, "tools/call needs the string \"name\"")
        }
        let meta = try message.meta()
        request = ToolRequest(
            tool: tool, arguments: try Self.arguments(of: message, in: body), presented: presented, surface: surface,
            traceparent: meta[MCPMetaKey.traceparent]?.stringValue, tracestate: meta[MCPMetaKey.tracestate]?.stringValue
        )
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
        do throws(HostError) {
            return try Self.result(of: try await host.callTool(request), revision)
        } catch {
            let tool = host.listTools().first { $0.name == request.tool }
            try refuse(error, tool: tool, host: host, revision)
            return Self.failure(error, hasSchema: tool.flatMap { MCPToolListing.outputSchema(of: $0, revision) } != nil)
        }
    }

    /// Throws for what is the protocol's business. The code alone does not decide, because a plugin chooses the code of
    /// its own errors: it must not be able to say that the caller is unknown, or that a tool does not exist.
    private func refuse(
        _ error: HostError, tool: AgentTool?, host: any ToolHost, _ revision: MCPRevision
    ) throws(MCPFault) {
        switch error.code {
        case .unknownTool where tool == nil:
            throw MCPFault(status: revision.refusalStatus, .invalidParams, error.message)
        case .unauthenticated, .forbidden:
            do throws(HostError) {
                try host.authenticate(request.presented)
            } catch {
                throw MCPFault(refusing: request.presented, error)
            }
        case .auditFailed, .storageFailed, .secretUnreadable:
            // 200, because a call may have been made, and nothing on the way should repeat it for its status.
            throw MCPFault(
                status: 200, .internalError, error.message,
                data: ["code": .string(error.code.rawValue), "retryable": .bool(error.retryable)])
        default: return
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
        result["_meta"] = [MCPMetaKey.request: .string(answer.requestID)]
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
        result["_meta"] = [MCPMetaKey.error: details]
        return result
    }

    private static func content(_ blocks: [JSONValue]) -> JSONObject {
        JSONObject([(key: "content", value: .array(blocks))])
    }
}
