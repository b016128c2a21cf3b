internal import FoundationEssentials
internal import JSONBytes

/// The headers that repeat parts of the body (2026-07-28, Streamable HTTP, "Server Validation"). Something on the way
/// may have decided by the header; if the body said otherwise, its decision would be worth nothing.
enum MCPHeader {
    static let version = "mcp-protocol-version"
    static let method = "mcp-method"
    static let name = "mcp-name"
    /// The parameter that `Mcp-Name` repeats, by method.
    static let named = ["tools/call": "name", "prompts/get": "name", "resources/read": "uri"]

    /// `Mcp-Param-*` needs no check: a tool can only ask for it with `x-mcp-header`, which no manifest may contain.
    static func check(
        _ request: MCPRequest, against message: MCPMessage.Request, version stamped: String
    ) throws(MCPFault) {
        try require("MCP-Protocol-Version", is: stamped, in: request.values(of: version))
        try require("Mcp-Method", is: message.method, in: request.values(of: method))
        guard let parameter = named[message.method], let value = message.params[parameter]?.stringValue else { return }
        try require("Mcp-Name", is: value, in: request.values(of: name), decode: decode)
    }

    private static func require(
        _ header: String, is expected: String, in values: [String], decode: (String) -> String? = { $0 }
    ) throws(MCPFault) {
        let reason: String
        switch values.count {
        case 0: reason = "is missing"
        case 1:
            // Compared byte by byte: Swift's == would call é and e + ́ equal.
            guard let value = values.first.flatMap(decode), value.utf8.elementsEqual(expected.utf8) else {
                reason = "does not say what the body says, \(JSONValue.quoted(expected))"
                break
            }
            return
        default: reason = "appears more than once"
        }
        throw MCPFault(status: 400, .headerMismatch, "the header \(header) \(reason)")
    }

    /// Undoes `=?base64?…?=`; nil if it is malformed, or not the one way to write its bytes.
    static func decode(_ value: String) -> String? {
        let (prefix, suffix) = ("=?base64?", "?=")
        let isEncoded = value.hasPrefix(prefix) && value.dropFirst(prefix.count).hasSuffix(suffix)
        guard isEncoded else { return value }
        let payload = String(value.dropFirst(prefix.count).dropLast(suffix.count))
        guard let data = Data(base64Encoded: payload), data.base64EncodedString() == payload else { return nil }
        return String(validating: data, as: UTF8.self)
    }
}
