internal import JSONBytes

extension Permissions.SealedUse {
    /// The same shape as in `plugin.json`.
    var json: JSONValue {
        switch self {
        case .place(let place, let credential, let after):
            Self.object([place.member, ("credential", .string(credential)), ("after", Self.text(after))])
        case .binance(let key): ["sign": "binance", "credential": .string(key)]
        case .awsSignatureV4(let scheme):
            Self.object([
                ("sign", "aws-sigv4"), ("credential", .string(scheme.key)), ("id", .string(scheme.id)),
                ("session", scheme.session.map { .string($0) }), ("region", .string(scheme.region)),
                ("service", .string(scheme.service)),
            ])
        case .template(let template):
            Self.object([
                ("sign", "template"), ("credential", .string(template.key)),
                ("algorithm", .string(template.algorithm.rawValue)), ("encoding", .string(template.encoding.rawValue)),
                ("parts", JSONValue(template.parts.map(\.name))), template.place.member,
                ("after", Self.text(template.after)),
                (
                    "timestamp",
                    template.timestamp.map { Self.object([$0.place.member, ("format", .string($0.format.rawValue))]) }
                ),
            ])
        }
    }

    private static func text(_ text: String) -> JSONValue? { text.isEmpty ? nil : .string(text) }

    private static func object(_ members: [(key: String, value: JSONValue?)]) -> JSONValue {
        .object(JSONObject(members.compactMap { key, value in value.map { (key: key, value: $0) } }))
    }
}

extension Permissions.RequestPlace {
    fileprivate var member: (key: String, value: JSONValue?) {
        switch self {
        case .header(let name): ("header", .string(name))
        case .query(let name): ("query", .string(name))
        }
    }
}
