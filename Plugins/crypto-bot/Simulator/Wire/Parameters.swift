/// The parameters of one request and which of them have been read: one that nobody reads is an error (-1104).
struct Parameters: Sendable {
    private var values: [String: String] = [:]
    private var read: Set<String> = []
    private let sent: Int

    /// Takes the query and, except for GET, a form body. Of a name in both, the query's value counts.
    init(_ request: WireRequest) throws(APIError) {
        let query = try FormEncoding.fields(request.query)
        let body = Self.readsBody(request) ? try FormEncoding.fields(request.body) : []
        try Self.requireUnique(query)
        try Self.requireUnique(body)
        for field in body { values[field.name] = field.value }
        for field in query { values[field.name] = field.value }
        sent = values.count
    }

    private static func readsBody(_ request: WireRequest) -> Bool {
        guard request.method != "GET", !request.body.isEmpty else { return false }
        let type = request.headers["content-type"] ?? "application/x-www-form-urlencoded"
        return type.lowercased().hasPrefix("application/x-www-form-urlencoded")
    }

    private static func requireUnique(_ fields: [(name: String, value: String)]) throws(APIError) {
        guard Set(fields.map(\.name)).count == fields.count else { throw .duplicateParameter }
    }

    /// The value without marking it as read, for what is decided before the request is looked at.
    func peek(_ name: String) -> String? { values[name] }

    mutating func optional(_ name: String, _ shape: Shape = .any) throws(APIError) -> String? {
        guard let value = values[name] else { return nil }
        read.insert(name)
        guard !value.isEmpty else { throw .emptyParameter(name) }
        guard shape.accepts(value) else { throw .illegalCharacters(in: name, legalRange: shape.legalRange) }
        return value
    }

    mutating func mandatory(_ name: String, _ shape: Shape = .any) throws(APIError) -> String {
        guard let value = try optional(name, shape) else { throw .missingParameter(name) }
        return value
    }

    /// One of the members of an enumeration, by raw value.
    mutating func choice<Choice: RawRepresentable<String>>(
        _ name: String, of _: Choice.Type, else error: APIError
    ) throws(APIError) -> Choice? {
        guard let text = try optional(name) else { return nil }
        guard let choice = Choice(rawValue: text) else { throw error }
        return choice
    }

    mutating func flag(_ name: String) throws(APIError) -> Bool {
        switch try optional(name)?.lowercased() {
        case nil, "false": return false
        case "true": return true
        default: throw .invalidData(name)
        }
    }

    mutating func amount(_ name: String) throws(APIError) -> Amount? {
        guard let text = try optional(name, .decimal) else { return nil }
        guard let amount = Amount(text) else { throw .tooMuchPrecision(name) }
        return amount
    }

    mutating func forbid(_ name: String) throws(APIError) {
        guard values[name] == nil else { throw .parameterNotRequired(name) }
    }

    /// Call when everything has been read and before anything is changed.
    func finish() throws(APIError) {
        guard read.count == sent else { throw .unreadParameters(read: read.count, sent: sent) }
    }
}
