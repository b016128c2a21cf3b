internal import JSONBytes
internal import PluginABI

/// A plugin's wish for one HTTP request, read strictly. Nothing here has been allowed yet.
struct FetchRequest: Sendable, Equatable {
    var endpoint: String
    var method: String
    var path: String
    /// Raw, percent-encoded, without the question mark; empty for none.
    var query: String
    var headers: [Header]
    /// Sealed credentials that the host is to use, by name.
    var sealed: [String]
    var body: [UInt8]

    struct Header: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// - Throws: `ABIError` with `invalidArguments`, naming the member.
    init(_ payload: Message.Payload) throws(ABIError) {
        guard let root = try? JSONValue(parsing: payload.json), let members = root.objectValue?.members else {
            throw Self.refuse("the arguments are not a JSON object")
        }
        let known: Set<String> = ["endpoint", "method", "path", "query", "headers", "sealed"]
        for member in members where !known.contains(member.key) {
            throw Self.refuse("\(member.key.cut(to: 40)): unknown; known: \(known.sorted().joined(separator: ", "))")
        }
        guard let endpoint = root["endpoint"]?.stringValue, let method = root["method"]?.stringValue,
            let path = root["path"]?.stringValue
        else { throw Self.refuse("endpoint, method and path are needed, each a string") }
        self.endpoint = endpoint
        self.method = method
        self.path = path
        guard let query = (root["query"] ?? "").stringValue else { throw Self.refuse("query must be a string") }
        guard let fields = (root["headers"] ?? [:]).objectValue else { throw Self.refuse("headers must be an object") }
        self.query = query
        headers = []
        for member in fields.members {
            guard let value = member.value.stringValue else {
                throw Self.refuse("headers.\(member.key.cut(to: 40)) must be a string")
            }
            headers.append(Header(name: member.key, value: value))
        }
        sealed = try Self.names(root["sealed"])
        body = payload.bytes
    }

    private static func names(_ field: JSONValue?) throws(ABIError) -> [String] {
        guard let field else { return [] }
        let names = field.arrayValue?.compactMap(\.stringValue) ?? []
        guard let items = field.arrayValue, names.count == items.count, names.count <= ABILimits.credentialsPerCall,
            Set(names).count == names.count
        else {
            throw refuse("sealed must be an array of at most \(ABILimits.credentialsPerCall) different names")
        }
        return names
    }

    private static func refuse(_ reason: String) -> ABIError { ABIError(.invalidArguments, "http.fetch: \(reason)") }
}
