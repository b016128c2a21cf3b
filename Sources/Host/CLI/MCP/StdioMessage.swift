internal import JSONBytes

/// The little that the front must know of a line: whether an answer is owed, and whether it cancels another.
enum StdioMessage: Sendable {
    /// The id is that under which the answer is owed; nil for what the host will refuse as a whole.
    case request([UInt8], id: JSONValue?, method: String? = nil)
    /// Owes no answer, not even an error.
    case notification([UInt8], method: String)
    /// The client no longer waits for this request.
    case cancels(JSONValue)
    /// Not worth the host's time.
    case refused(String)

    private static let limits = JSONLimits(bytes: StdioFront.lineBytes, depth: 64, values: 200_000)
    /// Answers come from the host: larger, and nested deeper by their envelope.
    private static let answerLimits = JSONLimits(bytes: 64 << 20, depth: 80, values: 1_000_000)

    init(_ line: LineSplitter.Line) {
        guard case .text(let bytes) = line else {
            self = .refused("the message is longer than the limit of \(StdioFront.lineBytes) bytes")
            return
        }
        let message: JSONValue
        do {
            message = try JSONValue(parsing: bytes, limits: Self.limits)
        } catch {
            self = .refused("the line is not JSON that is accepted here: \(error)")
            return
        }
        guard let method = message["method"]?.stringValue else {
            self = .request(bytes, id: nil)
            return
        }
        if let id = message["id"] {
            let known = id.stringValue != nil || id.intValue != nil ? id : nil
            self = .request(bytes, id: known, method: method)
        } else if method == "notifications/cancelled", let named = message["params"]?["requestId"] {
            self = .cancels(named)
        } else {
            self = .notification(bytes, method: method)
        }
    }

    /// The id under which an answer is owed.
    var id: JSONValue? {
        if case .request(_, let id, _) = self { return id }
        return nil
    }

    /// Whether this request is answered only once it is cancelled (2026-07-28).
    var isSubscription: Bool {
        if case .request(_, _, "subscriptions/listen") = self { return true }
        return false
    }

    /// Whether the client has done its handshake (up to 2025-11-25): from here on it may be told of changes.
    var isInitialized: Bool {
        if case .notification(_, "notifications/initialized") = self { return true }
        return false
    }

    /// One line for the client from the host's answer: never two, and under the id that the client waits for, also when
    /// the host refused the request before it read the id.
    static func line(from answer: [UInt8], for id: JSONValue?) -> [UInt8] {
        guard case .object(var message)? = try? JSONValue(parsing: answer, limits: answerLimits),
            message["jsonrpc"] == "2.0"
        else { return error(-32603, "nexusd's answer is not a message of MCP; see `nexus doctor`", id: id) }
        if message["error"] != nil, message["id"] ?? .null == .null, let id {
            message["id"] = id
            return JSONValue.object(message).encoded()
        }
        let isOneLine = !answer.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        return isOneLine ? answer : JSONValue.object(message).encoded()
    }

    static func error(_ code: Int, _ message: String, id: JSONValue?) -> [UInt8] {
        let reply: JSONValue = [
            "jsonrpc": "2.0", "id": id ?? .null, "error": ["code": JSONValue(code), "message": .string(message)],
        ]
        return reply.encoded()
    }
}
