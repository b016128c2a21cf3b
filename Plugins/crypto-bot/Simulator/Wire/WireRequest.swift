// What crosses the socket, as the core sees it: raw, because signatures are made over the bytes of the wire.

/// One HTTP request. `query` and `body` are exactly as sent, still percent-encoded.
struct WireRequest: Sendable {
    var method: String
    var path: String
    var query: [UInt8]
    var body: [UInt8]
    /// Field names in lower case.
    var headers: [String: String]
}

/// One HTTP response.
struct WireResponse: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]
}
