internal import JSONBytes

/// The two shapes of MCP. A request shows by itself which one it speaks; the host remembers nothing.
enum MCPRevision: Equatable {
    /// Up to 2025-11-25: `initialize` agrees on a version once.
    case handshake
    /// From 2026-07-28: every request carries its version and the client's capabilities.
    case stateless

    static let handshakeVersions = ["2025-11-25", "2025-06-18", "2025-03-26"]
    static let statelessVersions = ["2026-07-28"]
    static let supported = statelessVersions + handshakeVersions

    /// Tells the revision of a request, and checks what that revision demands of its envelope.
    init(of message: MCPMessage.Request, in request: MCPRequest) throws(MCPFault) {
        let versions = request.isStdio ? [] : request.values(of: MCPHeader.version)
        let isStamped = try message.meta()[MCPMetaKey.protocolVersion] != nil
        let isSent = versions.contains(where: Self.statelessVersions.contains)
        // `initialize` belongs to the handshake, even from a client that stamps every request.
        let isModern = isStamped || isSent || message.method == "server/discover"
        let isStateless = message.method == "initialize" ? isSent : isModern
        self = isStateless ? .stateless : .handshake
        switch self {
        case .handshake: try Self.check(versions, among: Self.handshakeVersions)
        case .stateless: try Self.checkEnvelope(of: message, in: request)
        }
    }

    /// A notification need not carry anything; a version that is not served is still worth an error.
    static func checkNotification(_ request: MCPRequest) throws(MCPFault) {
        guard !request.isStdio else { return }
        try check(request.values(of: MCPHeader.version), among: supported)
    }

    /// The GET stream belongs to the handshake; from 2026-07-28 the method is not served.
    static func checkStream(_ request: MCPRequest) throws(MCPFault) {
        guard !request.isStdio else { return }
        let versions = request.values(of: MCPHeader.version)
        guard !versions.contains(where: statelessVersions.contains) else {
            let reason = "there is no GET stream in this version; use subscriptions/listen"
            throw MCPFault(status: 405, .invalidRequest, reason, headers: [("Allow", "POST")])
        }
        try check(versions, among: handshakeVersions)
    }

    /// Without the header a client is taken for one of 2025-03-26, which did not have it.
    private static func check(_ versions: [String], among served: [String]) throws(MCPFault) {
        guard let version = versions.first else { return }
        guard versions.count == 1 else {
            throw MCPFault(status: 400, .headerMismatch, "the header MCP-Protocol-Version appears more than once")
        }
        guard served.contains(version) else { throw unsupported(version) }
    }

    /// Presence, then agreement of headers and body, then the version: a client that contradicts itself is told so.
    private static func checkEnvelope(of message: MCPMessage.Request, in request: MCPRequest) throws(MCPFault) {
        let meta = try message.meta()
        let required = [MCPMetaKey.protocolVersion, MCPMetaKey.clientCapabilities]
        let missing = required.filter { meta[$0] == nil }
        guard missing.isEmpty else {
            let names = missing.joined(separator: " and ")
            throw MCPFault(status: 400, .invalidParams, "params._meta of every request must carry \(names)")
        }
        guard let version = meta[MCPMetaKey.protocolVersion]?.stringValue else {
            throw MCPFault(status: 400, .invalidParams, "_meta[\"\(MCPMetaKey.protocolVersion)\"] must be a string")
        }
        guard meta[MCPMetaKey.clientCapabilities]?.objectValue != nil else {
            throw MCPFault(status: 400, .invalidParams, "_meta[\"\(MCPMetaKey.clientCapabilities)\"] must be an object")
        }
        if !request.isStdio { try MCPHeader.check(request, against: message, version: version) }
        guard statelessVersions.contains(version) else { throw unsupported(version) }
    }

    private static func unsupported(_ version: String) -> MCPFault {
        MCPFault(
            status: 400, .unsupportedVersion, "the protocol version \(JSONValue.quoted(version)) is not served here",
            data: ["supported": JSONValue(supported), "requested": .string(String(version.prefix(64)))])
    }

    func unknownMethod(_ name: String) -> MCPFault {
        let reason = "there is no method \(JSONValue.quoted(name)) here"
        guard self == .stateless else { return MCPFault(status: 200, .methodNotFound, reason) }
        // An older client has only this sentence to go by.
        let hint = name == "initialize" ? "; for the handshake leave the header MCP-Protocol-Version out" : ""
        return MCPFault(status: 404, .methodNotFound, reason + hint)
    }

    /// The status of a request that was understood and cannot be served: an HTTP error only where the revision says so.
    var refusalStatus: Int { self == .stateless ? 400 : 200 }

    /// Adds what every result of the revision carries.
    func complete(_ result: JSONObject, version: String) -> JSONObject {
        guard self == .stateless else { return result }
        var meta = result["_meta"]?.objectValue ?? JSONObject()
        meta[MCPMetaKey.serverInfo] = MCPHandshake.serverInfo(version)
        var complete = result
        if complete["resultType"] == nil { complete["resultType"] = "complete" }
        complete["_meta"] = .object(meta)
        return complete
    }
}
