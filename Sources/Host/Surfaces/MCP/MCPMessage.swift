internal import JSONBytes

/// One JSON-RPC 2.0 message, sorted by kind. Batches are refused: neither current revision has them.
enum MCPMessage {
    struct Request {
        /// A string or an integer, as the client wrote it.
        var id: JSONValue
        var method: String
        var params: JSONObject
    }

    case request(Request)
    /// Acknowledged and dropped, whatever it announces; but it may name a request that nobody waits for any more.
    case notification(cancels: JSONValue?)
    /// This host asks clients nothing, so an answer belongs to nothing.
    case response

    init(parsing body: [UInt8]) throws(MCPFault) {
        let root: JSONValue
        do {
            root = try JSONValue(parsing: body, limits: MCPLimits.json)
        } catch {
            throw MCPFault(status: 400, .parseError, "the message is not JSON that is accepted here: \(error)")
        }
        guard case .object(let message) = root else {
            let reason = root.arrayValue == nil ? "found \(root.typeName)" : "batches are not accepted"
            throw MCPFault(status: 400, .invalidRequest, "send one JSON-RPC message as an object; \(reason)")
        }
        let id = try Self.id(of: message)
        guard message["jsonrpc"] == "2.0" else {
            throw MCPFault(status: 400, .invalidRequest, "\"jsonrpc\" must be \"2.0\"", id: id)
        }
        guard let method = message["method"] else {
            guard id != nil, message["result"] != nil || message["error"] != nil else {
                throw MCPFault(status: 400, .invalidRequest, "the message has no \"method\"", id: id)
            }
            self = .response
            return
        }
        guard let method = method.stringValue else {
            throw MCPFault(status: 400, .invalidRequest, "\"method\" must be a string", id: id)
        }
        guard let id else {
            self = .notification(
                cancels: method == "notifications/cancelled" ? message["params"]?["requestId"] : nil)
            return
        }
        guard let params = (message["params"] ?? [:]).objectValue else {
            throw MCPFault(status: 400, .invalidParams, "\"params\" must be an object", id: id)
        }
        self = .request(Request(id: id, method: method, params: params))
    }

    /// The id, nil when there is none. An id that cannot be one is never echoed.
    private static func id(of message: JSONObject) throws(MCPFault) -> JSONValue? {
        guard let id = message["id"] else { return nil }
        let isString = id.stringValue.map { $0.utf8.count <= MCPLimits.idBytes } ?? false
        guard isString || id.intValue != nil else {
            throw MCPFault(
                status: 400, .invalidRequest,
                "\"id\" must be an integer of 64 bits or a string of at most \(MCPLimits.idBytes) bytes")
        }
        return id
    }
}

extension MCPMessage.Request {
    /// `params._meta`, empty when there is none.
    func meta() throws(MCPFault) -> JSONObject {
        guard let meta = params["_meta"] else { return JSONObject() }
        guard let object = meta.objectValue else {
            throw MCPFault(status: 400, .invalidParams, "\"params._meta\" must be an object")
        }
        return object
    }

    /// The end user for whom the request is made. A name that is not readable is refused, never passed over: the call
    /// would be made for somebody else.
    func principal() throws(MCPFault) -> String? {
        guard let principal = try meta()[MCPMetaKey.principal] else { return nil }
        guard let name = principal.stringValue else {
            throw MCPFault(status: 400, .invalidParams, "_meta[\"\(MCPMetaKey.principal)\"] must be a string")
        }
        return name
    }
}

/// Names in `_meta`: the specification's and ours.
enum MCPMetaKey {
    static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
    static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
    static let subscription = "io.modelcontextprotocol/subscriptionId"
    static let serverInfo = "io.modelcontextprotocol/serverInfo"
    /// W3C Trace Context, under the names of its headers.
    static let traceparent = "traceparent"
    static let tracestate = "tracestate"
    static let principal = "io.nexus/principal"
    static let request = "io.nexus/request"
    static let error = "io.nexus/error"
}
