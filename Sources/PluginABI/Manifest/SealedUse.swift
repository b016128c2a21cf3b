extension Permissions {
    /// How a credential gets to where it is used.
    public enum Delivery: String, Sendable, CaseIterable {
        /// In the frame of each call that needs it: the plugin sees the value.
        case call
        /// Never to the plugin: the host puts it into requests of `http.fetch`, or signs them with it.
        case sealed
    }

    /// What the host does with sealed credentials in the requests of one endpoint (manifest-v1.md section 5.2).
    public enum SealedUse: Sendable, Equatable {
        /// The value itself stands in the request, after a text such as `Bearer `.
        case place(RequestPlace, credential: String, after: String)
        /// The scheme of Binance's REST API. The key tells the algorithm.
        case binance(key: String)
        case awsSignatureV4(AWSSignature)
        case template(SignatureTemplate)

        /// The credentials that it takes, each once.
        public var credentials: [String] {
            switch self {
            case .place(_, let credential, _): return [credential]
            case .binance(let key): return [key]
            case .awsSignatureV4(let scheme):
                return [scheme.key, scheme.id] + (scheme.session.map { [$0] } ?? [])
            case .template(let template):
                var names = [template.key]
                for case .credential(let name) in template.parts where !names.contains(name) { names.append(name) }
                return names
            }
        }

        /// Where it writes, as far as the manifest says so.
        public var places: [RequestPlace] {
            switch self {
            case .place(let place, _, _): [place]
            case .binance: [.query("signature")]
            case .awsSignatureV4:
                ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"].map { .header($0) }
            case .template(let template): [template.place] + (template.timestamp.map { [$0.place] } ?? [])
            }
        }

        public var signs: Bool {
            if case .place = self { false } else { true }
        }
    }

    /// A header or a parameter of the query, by name.
    public enum RequestPlace: Sendable, Hashable {
        /// In the spelling that is sent; compared without regard to case.
        case header(String)
        case query(String)

        public static func == (one: RequestPlace, other: RequestPlace) -> Bool { one.key == other.key }
        public func hash(into hasher: inout Hasher) { hasher.combine(key) }

        private var key: String {
            switch self {
            case .header(let name): "header \(name.lowercased())"
            case .query(let name): "query \(name)"
            }
        }
    }

    /// AWS Signature Version 4 with the signature in the header `Authorization`. The names are those of credentials.
    public struct AWSSignature: Sendable, Equatable {
        /// The secret access key.
        public var key: String
        /// The access key id.
        public var id: String
        /// The session token, for temporary credentials.
        public var session: String?
        public var region: String
        public var service: String
    }

    /// A signature over parts of the request, one after the other with nothing between.
    public struct SignatureTemplate: Sendable, Equatable {
        public var key: String
        public var algorithm: SignatureAlgorithm
        public var encoding: Encoding
        public var parts: [Part]
        /// Where the signature goes, after a text.
        public var place: RequestPlace
        public var after: String
        /// Set by the host; needed where `timestamp` is a part.
        public var timestamp: Timestamp?

        public enum Encoding: String, Sendable, CaseIterable {
            /// Lower case.
            case hex
            /// With padding, the alphabet of RFC 4648 section 4.
            case base64
        }

        public enum Part: Sendable, Equatable {
            case method
            case host
            case path
            /// As it is sent, without the question mark, and without the signature.
            case query
            /// Path, and the query after a question mark if there is one.
            case target
            case body
            /// SHA-256 in lower-case hexadecimal.
            case bodyHash
            case timestamp
            /// One line feed.
            case newline
            case header(String)
            case text(String)
            /// The value of a sealed credential, such as the public half of a pair.
            case credential(String)
        }

        public struct Timestamp: Sendable, Equatable {
            public var place: RequestPlace
            public var format: Format

            public enum Format: String, Sendable, CaseIterable {
                /// Since 1970 (Unix time).
                case seconds
                case milliseconds
                /// `2026-11-22T01:02:03.456Z`
                case iso8601 = "iso-8601"
            }
        }
    }

    public enum SignatureAlgorithm: String, Sendable, CaseIterable {
        /// RFC 2104; the key is the credential's bytes.
        case hmacSHA256 = "hmac-sha256"
        /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2); the key is a private key in PEM, 2048 bits or more.
        case rsaSHA256 = "rsa-sha256"
        /// RFC 8032; the key is a private key in PEM (RFC 8410).
        case ed25519
    }
}

extension Permissions.SignatureTemplate.Part {
    /// Those that have one spelling; the others are `header:NAME`, `credential:NAME` and `text:TEXT`.
    static let plain: [(name: String, part: Self)] = [
        ("method", .method), ("host", .host), ("path", .path), ("query", .query), ("target", .target),
        ("body", .body), ("body-sha256", .bodyHash), ("timestamp", .timestamp), ("newline", .newline),
    ]

    /// As it stands in `plugin.json`.
    public var name: String {
        switch self {
        case .header(let name): "header:\(name)"
        case .credential(let name): "credential:\(name)"
        case .text(let text): "text:\(text)"
        default: Self.plain.first { $0.part == self }?.name ?? ""
        }
    }
}
