// What the MCP surface needs of the core, and no more: tests stand in for it, and the surface cannot reach around it.
internal import HostCore
internal import JSONBytes
internal import PluginABI

/// The core, seen from an agent.
protocol ToolHost: Sendable {
    /// - Returns: who is connected.
    /// - Throws: `HostError` with `unauthenticated` or `forbidden`; another code when the host could not tell.
    @discardableResult
    func authenticate(_ presented: Presented) throws(HostError) -> String
    func listTools() -> [AgentTool]
    /// An element for every change of `listTools`.
    func toolChanges() -> AsyncStream<Void>
    /// - Throws: `HostError` whose message the agent can act on.
    func callTool(_ request: ToolRequest) async throws(HostError) -> ToolResult
}

/// What agents are told of a tool.
struct AgentTool: Sendable {
    var name: String
    var title: String?
    var description: String
    var inputSchema: JSONValue
    var outputSchema: JSONValue?
    var annotations: JSONValue?
}

/// The real one.
struct PipelineToolHost: ToolHost {
    let pipeline: CallPipeline
    let catalog: PluginCatalog
    let authenticator: Authenticator

    func authenticate(_ presented: Presented) throws(HostError) -> String { try authenticator.caller(presented).actor }

    func toolChanges() -> AsyncStream<Void> { catalog.toolChanges() }

    func listTools() -> [AgentTool] {
        catalog.list().flatMap(\.manifest.tools).map { tool in
            AgentTool(
                name: tool.name, title: tool.title, description: tool.description, inputSchema: tool.inputSchema,
                outputSchema: tool.outputSchema, annotations: tool.annotations)
        }
    }

    func callTool(_ request: ToolRequest) async throws(HostError) -> ToolResult { try await pipeline.call(request) }
}
