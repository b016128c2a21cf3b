internal import JSONBytes

/// `tools/list`: one page, in the order of the names.
enum MCPToolListing {
    static func result(
        of message: MCPMessage.Request, tools: [AgentTool], _ revision: MCPRevision
    ) throws(MCPFault) -> JSONObject {
        guard message.params["cursor"] == nil else {
            throw MCPFault(
                status: revision.refusalStatus, .invalidParams, "there is no such page: all tools are on the first")
        }
        let listed = tools.sorted { $0.name < $1.name }.map { tool($0, revision) }
        var result = JSONObject([(key: "tools", value: .array(listed))])
        if revision == .stateless {
            result["ttlMs"] = JSONValue(MCPLimits.toolsTimeToLiveMilliseconds)
            // Which tools there are may come to depend on who asks.
            result["cacheScope"] = "private"
        }
        return result
    }

    private static func tool(_ tool: AgentTool, _ revision: MCPRevision) -> JSONValue {
        var members = JSONObject([(key: "name", value: .string(tool.name))])
        members["title"] = tool.title.map { .string($0) }
        members["description"] = .string(tool.description)
        members["inputSchema"] = tool.inputSchema
        members["outputSchema"] = outputSchema(of: tool, revision)
        members["annotations"] = tool.annotations.flatMap(annotations)
        return .object(members)
    }

    /// The schema that clients of a revision are shown, and hold results to. The handshake knows results that are
    /// objects; the schema of another result would have its clients refuse every answer.
    static func outputSchema(of tool: AgentTool, _ revision: MCPRevision) -> JSONValue? {
        tool.outputSchema.flatMap { revision == .stateless || $0["type"] == "object" ? .some($0) : .none }
    }

    /// The annotations that MCP defines, where their types are right: clients refuse a whole list for one bad member,
    /// so that a plugin could hide the tools of all others.
    private static func annotations(_ value: JSONValue) -> JSONValue? {
        var kept = JSONObject()
        if let title = value["title"]?.stringValue { kept["title"] = .string(title) }
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            if let flag = value[hint]?.boolValue { kept[hint] = .bool(flag) }
        }
        return kept.isEmpty ? .none : .some(.object(kept))
    }
}
