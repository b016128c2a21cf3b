/// The tools of a connector that come and go while it runs, besides those that it registered (abi-v1.md, ABI-8.2).
///
///     let connector = plugin.connector { call in try forward(call.tool, call.arguments) }
///     try connector.offer([OfferedTool("mail_send", "Sends a message", options: ToolOptions(inputSchema: schema))])
public final class Connector: Sendable {
    /// Run where the session runs handlers; not called here.
    nonisolated(unsafe) let handler: ToolDefinition.Handler
    private let lock = Lock()
    nonisolated(unsafe) private var offered: [ToolDefinition] = []
    nonisolated(unsafe) private weak var session: Session?

    init(_ handler: ToolDefinition.Handler) { self.handler = handler }

    /// Replaces what was offered before. The host is told at once while the plugin runs, otherwise at its start. From
    /// any thread; a call for a tool that is no longer offered is answered with `unknown-tool`.
    ///
    /// - Throws: `invalid-arguments` for two tools of one name, a schema that is refused, or a list that is too long.
    public func offer(_ tools: [OfferedTool]) throws(ToolError) {
        let offered = tools.map {
            ToolDefinition(name: $0.name, about: $0.about, options: $0.options, handler: handler)
        }
        for mistake in offered.lazy.compactMap(\.mistake) { throw ToolError(.invalidArguments, mistake) }
        guard Set(tools.map(\.name)).count == tools.count else {
            throw ToolError(.invalidArguments, "two of the offered tools have one name; give one of them another")
        }
        guard JSONValue.array(offered.map(\.json)).encoded().count <= ABILimits.jsonBytes / 2 else {
            throw ToolError(
                .invalidArguments, "the offered tools take more than \(ABILimits.jsonBytes / 2) bytes of JSON")
        }
        let session = lock.hold {
            self.offered = offered
            return self.session
        }
        session?.offerTools()
    }

    func attach(_ session: Session) { lock.hold { self.session = session } }

    var tools: [ToolDefinition] { lock.hold { offered } }
}

/// A tool that a connector offers; its schema is in `options.inputSchema`.
public struct OfferedTool: Sendable {
    public var name: String
    public var about: String
    public var options: ToolOptions

    public init(_ name: String, _ about: String = "", options: ToolOptions = ToolOptions()) {
        self.name = name
        self.about = about
        self.options = options
    }
}

extension Plugin {
    /// Makes the plugin a connector: `handler` serves every tool that is offered later, one call at a time.
    public func connector(_ handler: @escaping ToolHandler) -> Connector { connect(.waiting(handler)) }

    func connect(_ handler: ToolDefinition.Handler) -> Connector {
        let connector = Connector(handler)
        self.connector = connector
        return connector
    }

    /// What serves a tool now; nil if there is no such tool.
    func handler(of name: String) -> ToolDefinition.Handler? { definition(of: name)?.handler }

    func definition(of name: String) -> ToolDefinition? {
        tools.first { $0.name == name } ?? connector?.tools.first { $0.name == name }
    }
}

extension Session {
    /// Tells the host of the tools that hold from now on, if this is the time for it.
    func offerTools() { guarded { if lifecycle.state == .running { sendTools() } } }

    /// The caller holds the lock.
    func sendTools() {
        guard let offered = plugin.connector?.tools else { return }
        let tools = JSONValue.array((plugin.tools + offered).map(\.json))
        sendOrFail(.tools(json: JSONValue.object(JSONObject([("tools", tools)])).encoded()))
    }
}
