internal import JSONBytes

/// `initialize`, up to 2025-11-25. What it agrees on is the client's to remember.
enum MCPHandshake {
    static func result(of message: MCPMessage.Request, version: String) throws(MCPFault) -> JSONObject {
        guard let requested = message.params["protocolVersion"]?.stringValue else {
            throw MCPFault(status: 200, .invalidParams, "initialize needs the string \"protocolVersion\"")
        }
        let known = MCPRevision.handshakeVersions
        let agreed = known.contains(requested) ? requested : known[0]
        return JSONObject([
            (key: "protocolVersion", value: .string(agreed)), (key: "capabilities", value: capabilities),
            (key: "serverInfo", value: serverInfo(version)), (key: "instructions", value: .string(instructions)),
        ])
    }

    /// A new session's name. URL mode came with 2025-11-25.
    static func session(for message: MCPMessage.Request) -> String {
        let opensURLs =
            message.params["protocolVersion"] == "2025-11-25"
            && MCPElicitation.opensURLs(message.params["capabilities"])
        return MCPSession.make(opensURLs: opensURLs)
    }

    static let capabilities: JSONValue = ["tools": ["listChanged": true]]

    static func serverInfo(_ version: String) -> JSONValue {
        ["name": "nexus", "title": "Nexus", "version": .string(version)]
    }

    static let instructions = """
        Each tool runs in a jailed plugin. Every call is checked and recorded. A failed call says what to change; a \
        missing credential is typed by its user into a page of the host, or set by an admin, and is never passed as an \
        argument.
        """
}

/// `server/discover`, from 2026-07-28.
enum MCPDiscovery {
    static let result = JSONObject([
        (key: "supportedVersions", value: JSONValue(MCPRevision.supported)),
        (key: "capabilities", value: MCPHandshake.capabilities),
        (key: "instructions", value: .string(MCPHandshake.instructions)),
        (key: "ttlMs", value: JSONValue(MCPLimits.discoveryTimeToLiveMilliseconds)),
        (key: "cacheScope", value: "private"),
    ])
}
