internal import JSONBytes

/// Server-sent events as MCP uses them (HTML Living Standard, section 9.2; MCP, "Streamable HTTP"): each event is one
/// message on one `data` line, and no event has an id, because nothing can be sent again.
enum MCPEvent {
    static let mediaType = "text/event-stream"
    /// Keeps a quiet stream from being taken for a dead one, and finds out a dead one.
    static let keepAlive = Array(": still here\n\n".utf8)

    /// - Parameter json: a message as `JSONValue.encoded` writes it: one line.
    static func message(_ json: [UInt8]) -> [UInt8] { Array("event: message\ndata: ".utf8) + json + [0x0A, 0x0A] }

    static func notification(_ method: String, _ params: JSONObject) -> [UInt8] {
        var notification = JSONObject([(key: "jsonrpc", value: "2.0"), (key: "method", value: .string(method))])
        if !params.isEmpty { notification["params"] = .object(params) }
        return message(JSONValue.object(notification).encoded())
    }
}

extension MCPResponse {
    /// Answers with events.
    init(events: BodyStream) {
        self.init(
            status: 200,
            headers: [
                ("Content-Type", MCPEvent.mediaType), ("Cache-Control", "no-cache"),
                // Something on the way must not collect what is meant to be read at once.
                ("X-Accel-Buffering", "no"),
            ])
        stream = events
    }
}
