/// The answer to an `HTTPRequest`, whatever its status: a 404 is an answer, not an error.
public struct HTTPResponse: Sendable, Equatable {
    public var status: Int
    /// Names in lower case.
    public var headers: [String: String]
    public var body: [UInt8]

    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// - Throws: `internal-error` if the host's answer is not of the shape that `http.fetch` promises.
    init(_ payload: Message.Payload) throws(ToolError) {
        guard let json = try? JSONValue(parsing: payload.json), let status = json["status"]?.intValue,
            (100...599).contains(status)
        else { throw ToolError(.internalError, "the host's answer to http.fetch has no HTTP status") }
        var headers: [String: String] = [:]
        for member in json["headers"]?.objectValue?.members ?? [] { headers[member.key] = member.value.stringValue }
        self.init(status: status, headers: headers, body: payload.bytes)
    }
}

extension ToolCall {
    /// Has the host make an HTTP request on behalf of this call.
    ///
    /// - Throws: `permission-denied` (the message names the rule and what would allow it), `unavailable`,
    ///   `deadline-exceeded`, `invalid-arguments`, `cancelled`.
    public func http(_ request: HTTPRequest) throws(ToolError) -> HTTPResponse {
        var json = try request.encoded()
        // Its headers may hold a credential; the frame made of it is overwritten where it is sent.
        defer { json.wipe() }
        return try HTTPResponse(callHost("http.fetch", Message.Payload(json: json, bytes: request.body)))
    }
}
