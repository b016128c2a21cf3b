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
    func content(of request: HTTPRequest) throws(ToolError) -> Message.Payload {
        let resolved = try request.resolved { name throws(ToolError) in try box(name) }
        return Message.Payload(json: try resolved.encoded(), bytes: request.body)
    }
}
