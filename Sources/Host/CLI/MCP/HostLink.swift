internal import HostAPI
internal import JSONBytes
internal import NIOHTTP1
internal import Synchronization

/// The front's way to nexusd: one HTTP request a message. Where the answer is a stream of events, the messages in it
/// are told apart: notifications, which are passed on as they come, and the answer at the end.
struct HostLink: Sendable {
    let client: HostClient
    private let session = AgentSession()

    init(client: HostClient) { self.client = client }

    private static let headers = [
        ("content-type", "application/json"), ("accept", "application/json, text/event-stream"),
    ]

    func forward(_ message: [UInt8], _ notify: @escaping StdioFront.Notify) async throws -> [UInt8]? {
        var events = EventMessages()
        var last: [UInt8]?
        let (_, answer) = try await client.exchange(
            .post, APIPath.mcp, headers: Self.headers + session.headers, body: message
        ) { piece in
            for message in events.push(piece) {
                if EventMessages.isNotification(message) { try await notify(message) } else { last = message }
            }
        } head: {
            session.learn($0)
        }
        return last ?? (answer.isEmpty ? nil : answer)
    }

    /// Listens for what nexusd announces. When the stream breaks, as it does when nexusd is started anew, it is opened
    /// again; what changed meanwhile is not known, so that the tools are announced as changed then.
    func listen(_ notify: @escaping StdioFront.Notify) async {
        var isFirst = true
        while !Task.isCancelled {
            var events = EventMessages()
            var isOpen = false
            _ = try? await client.exchange(
                .get, APIPath.mcp, headers: [("accept", "text/event-stream")] + session.headers, seconds: 10
            ) { piece in
                if !isOpen, !isFirst { try await notify(Self.changed) }
                isOpen = true
                for message in events.push(piece) where EventMessages.isNotification(message) {
                    try await notify(message)
                }
            }
            isFirst = false
            try? await Task.sleep(for: .seconds(2))
        }
    }

    private static let changed = JSONValue.object(
        JSONObject([
            (key: "jsonrpc", value: "2.0"), (key: "method", value: "notifications/tools/list_changed"),
        ])
    ).encoded()
}

/// The session that nexusd named at `initialize` (up to 2025-11-25). Over stdio there are no headers to keep it in, so
/// the front does: it says what the agent can do, and whom an announcement is for.
private final class AgentSession: Sendable {
    private static let header = "mcp-session-id"
    private let name = Mutex<String?>(nil)

    func learn(_ headers: HTTPHeaders) {
        if let name = headers.first(name: Self.header) { self.name.withLock { $0 = name } }
    }

    var headers: [(String, String)] { name.withLock { $0 }.map { [(Self.header, $0)] } ?? [] }
}

/// Takes the messages out of a stream of server-sent events, in which nexusd writes each on one `data` line.
struct EventMessages {
    private var lines = LineSplitter(limit: 64 << 20)
    private static let field = Array("data: ".utf8)

    mutating func push(_ bytes: [UInt8]) -> [[UInt8]] {
        lines.push(bytes).compactMap { line in
            guard case .text(let text) = line, text.starts(with: Self.field) else { return nil }
            return Array(text.dropFirst(Self.field.count))
        }
    }

    /// Whether a message is no answer.
    static func isNotification(_ message: [UInt8]) -> Bool {
        let limits = JSONLimits(bytes: 64 << 20, depth: 80, values: 1_000_000)
        guard let json = try? JSONValue(parsing: message, limits: limits) else { return false }
        return json["method"] != nil && json["id"] == nil
    }
}
