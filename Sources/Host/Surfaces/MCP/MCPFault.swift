internal import HostCore
internal import JSONBytes

/// An error at the level of the protocol: what JSON-RPC says, and with which HTTP status.
struct MCPFault: Error {
    enum Code: Int {
        case parseError = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParams = -32602
        case internalError = -32603
        case headerMismatch = -32020
        case unsupportedVersion = -32022
        /// 2025-11-25 only.
        case urlElicitationRequired = -32042
        // Ours stand outside the range that JSON-RPC and MCP reserve.
        case unauthenticated = 401
        case forbidden = 403
    }

    var status: Int
    var code: Code
    var message: String
    var data: JSONValue?
    var headers: [(String, String)]
    /// Of the request, where it was read before the fault.
    var id: JSONValue?

    init(
        status: Int, _ code: Code, _ message: String, data: JSONValue? = nil, headers: [(String, String)] = [],
        id: JSONValue? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.data = data
        self.headers = headers
        self.id = id
    }

    /// Says which call it was, so that the logs can be searched for it.
    mutating func identify(_ call: CallIdentity?) {
        guard let call else { return }
        var members = data?.objectValue ?? JSONObject()
        members["request"] = .string(call.requestID)
        data = .object(members)
    }

    /// The authenticator's refusal, with the challenge of RFC 6750 section 3.
    init(refusing presented: Presented, _ error: HostError) {
        switch error.code {
        case .unauthenticated:
            let cause = presented.bearer == nil ? "" : ", error=\"invalid_token\""
            self.init(
                status: 401, .unauthenticated, error.message,
                headers: [("WWW-Authenticate", "Bearer realm=\"nexus\"\(cause)")])
        case .forbidden:
            self.init(
                status: 403, .forbidden, error.message,
                headers: [("WWW-Authenticate", "Bearer realm=\"nexus\", error=\"insufficient_scope\"")])
        default:
            // A stranger learns nothing about the trouble of this host.
            self.init(status: 503, .internalError, "the host cannot tell who is calling; try again later")
        }
    }
}

extension MCPResponse {
    private static let json = ("Content-Type", "application/json")

    init(result: JSONObject, id: JSONValue) {
        let reply: JSONValue = ["jsonrpc": "2.0", "id": id, "result": .object(result)]
        self.init(status: 200, headers: [Self.json], body: reply.encoded())
    }

    init(_ fault: MCPFault, id: JSONValue? = nil) {
        var error = JSONObject([
            (key: "code", value: JSONValue(fault.code.rawValue)), (key: "message", value: .string(fault.message)),
        ])
        error["data"] = fault.data
        let reply: JSONValue = ["jsonrpc": "2.0", "id": id ?? fault.id ?? .null, "error": .object(error)]
        self.init(status: fault.status, headers: [Self.json] + fault.headers, body: reply.encoded())
    }
}
