public import HostCore
internal import JSONBytes

/// One HTTP request at the MCP endpoint, as the transport read it.
public struct MCPRequest: Sendable {
    /// The HTTP method, in capitals.
    public var method: String
    /// In the order of arrival, names in lower case; repeated headers stand here repeatedly.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// The peer's user id or the bearer token: what the transport saw. An end user named here is ignored.
    public var presented: Presented
    /// `mcp-http`, or `mcp-stdio` for what `nexus mcp` passes on.
    public var surface: String

    public init(
        method: String, headers: [(name: String, value: String)], body: [UInt8], presented: Presented, surface: String
    ) {
        self.method = method
        self.headers = headers
        self.body = body
        self.presented = presented
        self.surface = surface
    }

    /// The stdio transport has no header layer; what `nexus mcp` sends along is its own.
    var isStdio: Bool { surface == "mcp-stdio" }

    var isJSON: Bool {
        values(of: "content-type").allSatisfy { value in
            value.prefix { $0 != ";" && $0 != " " }.lowercased() == "application/json"
        } && !values(of: "content-type").isEmpty
    }

    /// Whether the client named this media type in Accept: then, and only then, it is ready for it.
    func reads(_ mediaType: String) -> Bool {
        values(of: "accept").flatMap { $0.split(separator: ",") }.contains { item in
            let name = item.prefix { $0 != ";" }.trimmingPrefix { $0 == " " || $0 == "\t" }
            return name.prefix { $0 != " " && $0 != "\t" }.lowercased() == mediaType
        }
    }

    /// W3C Trace Context: of the message's `_meta`, which is the agent's own word; else of the HTTP headers, which an
    /// instrumented client or proxy adds. A `traceparent` that came twice is none, several `tracestate` are one list.
    func trace(beside meta: JSONObject) -> (parent: String?, state: String?) {
        if let parent = meta[MCPMetaKey.traceparent]?.stringValue {
            return (parent, meta[MCPMetaKey.tracestate]?.stringValue)
        }
        // On stdio the headers are those of `nexus mcp`, which is no caller.
        let parents = isStdio ? [] : values(of: MCPMetaKey.traceparent)
        guard parents.count == 1 else { return (nil, nil) }
        let states = values(of: MCPMetaKey.tracestate)
        return (parents[0], states.isEmpty ? nil : states.joined(separator: ","))
    }

    func values(of name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
}

/// What goes back: for `mcp-stdio`, the body alone; no body means that nothing is to be written.
public struct MCPResponse: Sendable {
    public var status: Int
    public var headers: [(String, String)]
    public var body: [UInt8]
    /// In place of `body`: for `mcp-stdio` too, events.
    public var stream: BodyStream?

    public init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
