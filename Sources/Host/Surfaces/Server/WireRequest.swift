public import HostCore
public import PluginABI

/// An HTTP request, whole, as the adapters take it.
public struct WireRequest: Sendable {
    public var method: String
    /// Percent-encoded, without the query.
    public var path: String
    public var query: [String: String]
    /// Names in lower case.
    public var headers: [(name: String, value: String)]
    /// Wiped once the last user lets go: it may be a credential.
    public var body: SecretBytes
    public var presented: Presented

    public init(
        method: String, path: String, query: [String: String] = [:], headers: [(name: String, value: String)] = [],
        body: SecretBytes = SecretBytes(copying: []), presented: Presented
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.presented = presented
    }

    /// The body for those that want an array, which nobody wipes: for what is no credential.
    var copiedBody: [UInt8] { body.withBytes { Array($0) } }

    /// The one value of a header; nil if absent or repeated.
    func header(_ name: String) -> String? {
        let values = headers.filter { $0.name == name }
        return values.count == 1 ? values[0].value : nil
    }
}

/// What an adapter answers.
public struct WireResponse: Sendable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// In place of `body`, one that is not finished yet.
    public var stream: BodyStream?

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
