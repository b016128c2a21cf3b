/// A request that the host makes for the plugin (host service `http.fetch`). The plugin names an endpoint of its
/// manifest; where that is, and whether method and path are allowed, is the host's to say.
public struct HTTPRequest: Sendable {
    /// A header's value. A secret is copied only into the frame, which is overwritten once it is sent.
    public enum HeaderValue: Sendable {
        case text(String)
        /// A credential of the call, after a text such as `Bearer `.
        case credential(String, after: String = "")
        case secret(SecretBytes)
    }

    public var endpoint: String
    public var method: String
    /// Absolute, already percent-encoded, without a query.
    public var path: String
    /// Already percent-encoded, without the question mark: a signature covers these very bytes.
    public var query: String?
    public var headers: [(name: String, value: HeaderValue)]
    /// Sealed credentials, by name: the host puts them in, or signs with them, as plugin.json says for the endpoint.
    public var sealed: [String]
    public var body: [UInt8]

    public init(
        endpoint: String, method: String = "GET", path: String, query: String? = nil,
        headers: [(name: String, value: HeaderValue)] = [], sealed: [String] = [], body: [UInt8] = []
    ) {
        self.endpoint = endpoint
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.sealed = sealed
        self.body = body
    }

    /// With the values of the call's credentials in place of their names.
    func resolved(_ box: (String) throws(ToolError) -> CredentialBox) throws(ToolError) -> HTTPRequest {
        var copy = self
        for position in headers.indices {
            guard case .credential(let name, let prefix) = headers[position].value else { continue }
            let secret = try box(name).withBytes { bytes in
                var whole: [UInt8] = []
                whole.reserveCapacity(prefix.utf8.count + bytes.count)
                whole.append(contentsOf: prefix.utf8)
                whole.append(contentsOf: bytes)
                defer { whole.wipe() }
                return SecretBytes(copying: whole)
            }
            copy.headers[position].value = .secret(secret)
        }
        return copy
    }

    /// The JSON of the host call. The array is sized beforehand: one that grows leaves a copy of the secret behind.
    ///
    /// - Throws: `invalid-arguments` for a secret that cannot stand in a header (RFC 9110 section 5.5).
    func encoded() throws(ToolError) -> [UInt8] {
        var members: [(key: String, value: JSONValue)] = [
            ("endpoint", .string(endpoint)), ("method", .string(method)), ("path", .string(path)),
        ]
        if let query { members.append(("query", .string(query))) }
        if !sealed.isEmpty { members.append(("sealed", JSONValue(sealed))) }
        let start = JSONValue.object(JSONObject(members)).encoded().dropLast()
        let fields = headers.map { (name: JSONValue.string($0.name).encoded(), value: $0.value) }
        var output: [UInt8] = []
        output.reserveCapacity(start.count + fields.reduce(32) { $0 + $1.name.count + $1.value.maximumBytes + 2 })
        output.append(contentsOf: start)
        for (position, field) in fields.enumerated() {
            output.append(contentsOf: position == 0 ? Array(",\"headers\":{".utf8) : [UInt8(ascii: ",")])
            output.append(contentsOf: field.name)
            output.append(UInt8(ascii: ":"))
            guard field.value.append(to: &output) else {
                output.wipe()
                throw ToolError(
                    .invalidArguments,
                    "the secret for header \(headers[position].name) is not printable ASCII; store it again")
            }
        }
        if !fields.isEmpty { output.append(UInt8(ascii: "}")) }
        output.append(UInt8(ascii: "}"))
        return output
    }
}

extension HTTPRequest.HeaderValue {
    /// At least what `append` writes: a character may need an escape, and there are two quotes.
    fileprivate var maximumBytes: Int {
        switch self {
        case .text(let text): JSONValue.string(text).encoded().count
        case .secret(let secret): secret.count * 2 + 2
        case .credential: 0
        }
    }

    /// Writes the value as a JSON string; false if it is a secret with characters beyond printable ASCII.
    fileprivate func append(to output: inout [UInt8]) -> Bool {
        switch self {
        case .text(let text):
            output.append(contentsOf: JSONValue.string(text).encoded())
            return true
        case .credential: return false
        case .secret(let secret):
            output.append(UInt8(ascii: "\""))
            let isPrintable = secret.withBytes { bytes in
                for byte in bytes {
                    guard (0x20...0x7E).contains(byte) else { return false }
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
                    output.append(byte)
                }
                return true
            }
            output.append(UInt8(ascii: "\""))
            return isPrintable
        }
    }
}
