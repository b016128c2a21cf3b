/// What a plugin offers: its tools, and what it does when the host configures it.
///
/// Handlers run one at a time on the thread of the session; while one waits for the host, further calls queue up.
public final class Plugin {
    public typealias ToolHandler = (ToolCall) throws -> ToolResult

    /// As in plugin.json.
    public let name: String
    private(set) var tools: [String: ToolHandler] = [:]
    private(set) var configurationHandler: ((JSONValue) throws -> Void)?
    /// Mistakes of the author, told when the session starts.
    private(set) var mistakes: [String] = []

    public init(name: String) { self.name = name }

    /// Offers a tool under the name that plugin.json declares.
    ///
    /// What the handler throws becomes the error of the call: a `ToolError` as it is, anything else as `plugin-failed`.
    public func tool(_ name: String, handler: @escaping ToolHandler) {
        if tools.updateValue(handler, forKey: name) != nil {
            mistakes.append("the tool \"\(name)\" is registered twice")
        }
    }

    /// Called once, before the first call, with the configuration that the host sends; to throw is to refuse to start.
    public func onInitialize(_ handler: @escaping (JSONValue) throws -> Void) { configurationHandler = handler }
}
