import JSONBytes
import Synchronization

@testable import HostCore
@testable import HostSurfaces

/// A core without a database: two tokens, three tools, and a record of what it was asked.
final class FakeToolHost: ToolHost {
    struct Asked: Sendable {
        var calls: [ToolRequest] = []
        var authentications: [Presented] = []
    }

    private let asked = Mutex(Asked())
    private let answer: @Sendable (ToolRequest) throws(HostError) -> String
    let tools: [AgentTool]

    init(
        tools: [AgentTool] = FakeToolHost.tools,
        answer: @escaping @Sendable (ToolRequest) throws(HostError) -> String = { _ in "{\"price\":1.10}" }
    ) {
        self.tools = tools
        self.answer = answer
    }

    var calls: [ToolRequest] { asked.withLock { $0.calls } }
    var authentications: [Presented] { asked.withLock { $0.authentications } }

    @discardableResult
    func authenticate(_ presented: Presented) throws(HostError) -> String {
        asked.withLock { $0.authentications.append(presented) }
        switch presented.bearer {
        case "alice": if presented.onBehalfOf != nil { throw HostError(.forbidden, "the token may not act for others") }
        case "agent": break
        case "broken": throw HostError(.storageFailed, "/home/nexus.sqlite: disk I/O error")
        default: throw HostError(.unauthenticated, "the token is not valid")
        }
        return presented.bearer ?? ""
    }

    let changes = ToolChanges()
    func toolChanges() -> AsyncStream<Void> { changes.stream() }

    func listTools() -> [AgentTool] { tools }

    func callTool(_ request: ToolRequest) async throws(HostError) -> ToolResult {
        asked.withLock { $0.calls.append(request) }
        try authenticate(request.presented)
        guard tools.contains(where: { $0.name == request.tool }) else {
            throw HostError(.unknownTool, "no tool is called \"\(request.tool)\"")
        }
        return ToolResult(
            json: Array(try answer(request).utf8), call: CallIdentity(requestID: "r1", traceparent: "00-1-2-01"))
    }

    static let object: JSONValue = ["type": "object"]
    static let tools = [
        AgentTool(name: "zebra", description: "last", inputSchema: object),
        AgentTool(
            name: "crypto_price", title: "Price", description: "a price", inputSchema: object, outputSchema: object,
            annotations: ["readOnlyHint": true, "destructiveHint": "yes", "evil": 1]),
        AgentTool(name: "list", description: "a list", inputSchema: object, outputSchema: ["type": "array"]),
    ]
}

/// What an agent sends, with everything right; tests take out or change one thing.
struct Message {
    static let capabilities = "io.modelcontextprotocol/clientCapabilities"
    static let version = "io.modelcontextprotocol/protocolVersion"

    var method = "tools/list"
    var id: JSONValue? = 1
    var params: JSONObject? = JSONObject()
    var meta: JSONObject?
    /// The whole body, where it is not to be made from the parts.
    var raw: [UInt8]?
    var http = "POST"
    var headers: [(name: String, value: String)] = [("content-type", "application/json")]
    var bearer: String? = "alice"
    var surface = "mcp-http"

    /// 2025-11-25, after `initialize`.
    static func handshake(_ method: String, _ params: JSONObject = JSONObject()) -> Message {
        var message = Message(method: method, params: params)
        message.headers.append(("mcp-protocol-version", "2025-11-25"))
        return message
    }

    /// 2026-07-28.
    static func stateless(_ method: String, _ params: JSONObject = JSONObject(), name: String? = nil) -> Message {
        var message = Message(method: method, params: params)
        message.meta = JSONObject([(key: version, value: "2026-07-28"), (key: capabilities, value: [:])])
        message.headers += [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)]
        if let name = name ?? params["name"]?.stringValue { message.headers.append(("mcp-name", name)) }
        return message
    }

    static func call(_ tool: String, stateless isStateless: Bool = false) -> Message {
        let params = JSONObject([(key: "name", value: .string(tool)), (key: "arguments", value: ["symbol": "BTC"])])
        return isStateless ? .stateless("tools/call", params) : .handshake("tools/call", params)
    }

    mutating func set(_ header: String, _ value: String?) {
        headers.removeAll { $0.name == header }
        if let value { headers.append((header, value)) }
    }

    var request: MCPRequest {
        var body = JSONObject([(key: "jsonrpc", value: "2.0")])
        body["id"] = id
        body["method"] = .string(method)
        var params = params
        if let meta { params?["_meta"] = .object(meta) }
        body["params"] = params.map { .object($0) }
        return MCPRequest(
            method: http, headers: headers, body: raw ?? JSONValue.object(body).encoded(),
            presented: Presented(bearer: bearer), surface: surface)
    }
}

/// An answer, taken apart.
struct Reply {
    var status: Int
    var headers: [(String, String)]
    var body: [UInt8]
    var json: JSONValue

    var result: JSONValue? { json["result"] }
    var code: Int? { json["error"]?["code"]?.intValue }
    var text: String? { result?["content"]?.arrayValue?.first?["text"]?.stringValue }

    func header(_ name: String) -> String? { headers.first { $0.0.lowercased() == name }?.1 }
}

extension FakeToolHost {
    func reply(to message: Message) async throws -> Reply {
        let response = await MCPEndpoint(host: self, version: "1.2.3").respond(to: message.request)
        let json = response.body.isEmpty ? JSONValue.null : try JSONValue(parsing: response.body)
        return Reply(status: response.status, headers: response.headers, body: response.body, json: json)
    }
}

extension MCPResponse {
    /// The messages of a stream that ends.
    func events() async throws -> [JSONValue] {
        var messages: [JSONValue] = []
        while let message = try await event() { messages.append(message) }
        return messages
    }

    /// The next message of a stream; nil at its end.
    func event() async throws -> JSONValue? {
        while let piece = await stream?.next() {
            let text = String(decoding: piece, as: UTF8.self)
            guard !text.hasPrefix(":") else { continue }
            let (start, end) = ("event: message\ndata: ", "\n\n")
            guard text.hasPrefix(start), text.hasSuffix(end) else { throw NoEvent(text: text) }
            return try JSONValue(parsing: String(text.dropFirst(start.count).dropLast(end.count)))
        }
        return nil
    }

    struct NoEvent: Error { var text: String }
}
