internal import Crypto
internal import FoundationEssentials
internal import PluginABI

/// A request while it is being signed.
struct SignatureDraft {
    var request: FetchRequest
    let host: String
    let time: UTCTime

    mutating func put(_ value: String, at place: Permissions.RequestPlace) {
        switch place {
        case .header(let name): request.headers.append(.init(name: name, value: value))
        case .query(let name):
            if !request.query.isEmpty { request.query += "&" }
            request.query += "\(name)=\(PercentEncoding.encoded(value))"
        }
    }

    /// Binance Spot REST API, "Request security": the payload is the query and the body, one after the other with
    /// nothing between, percent-encoded as they travel; the signature is the last parameter of the query. HMAC in
    /// hexadecimal; RSA and Ed25519 in base64, percent-encoded. A `timestamp` that the plugin leaves out is set.
    mutating func signForBinance(with key: SecretBytes) throws(SignatureKey.Fault) {
        let form = String(decoding: request.body, as: UTF8.self)
        let isTimed = [request.query, form].contains { list in
            list.split(separator: "&").contains { $0.hasPrefix("timestamp=") }
        }
        if !isTimed { put(String(time.unixMilliseconds), at: .query("timestamp")) }
        let algorithm = SignatureKey.algorithm(of: key)
        let signature = try SignatureKey.sign(Array(request.query.utf8) + request.body, with: key, as: algorithm)
        put(Self.text(signature, algorithm == .hmacSHA256 ? .hex : .base64), at: .query("signature"))
    }

    mutating func sign(
        by template: Permissions.SignatureTemplate, with key: SecretBytes,
        value: (String) throws(SignatureKey.Fault) -> String
    ) throws(SignatureKey.Fault) {
        var timestamp = ""
        if let rule = template.timestamp {
            timestamp = text(rule.format)
            put(timestamp, at: rule.place)
        }
        var payload: [UInt8] = []
        defer { payload.wipe() }
        for part in template.parts {
            switch part {
            case .method: payload += request.method.utf8
            case .host: payload += host.utf8
            case .path: payload += request.path.utf8
            case .query: payload += request.query.utf8
            case .target: payload += (request.path + (request.query.isEmpty ? "" : "?" + request.query)).utf8
            case .body: payload += request.body
            case .bodyHash: payload += Hex.text(SHA256.hash(data: request.body)).utf8
            case .timestamp: payload += timestamp.utf8
            case .newline: payload.append(UInt8(ascii: "\n"))
            case .text(let text): payload += text.utf8
            case .credential(let name): payload += try value(name).utf8
            case .header(let name): payload += header(name).utf8
            }
        }
        let signature = try SignatureKey.sign(payload, with: key, as: template.algorithm)
        put(template.after + Self.text(signature, template.encoding), at: template.place)
    }

    /// Empty for none; several are one list, as HTTP says (RFC 9110 section 5.3).
    func header(_ name: String) -> String {
        request.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value).joined(separator: ", ")
    }

    private func text(_ format: Permissions.SignatureTemplate.Timestamp.Format) -> String {
        switch format {
        case .seconds: String(time.unixMilliseconds / 1_000)
        case .milliseconds: String(time.unixMilliseconds)
        case .iso8601: time.extended
        }
    }

    private static func text(_ bytes: [UInt8], _ encoding: Permissions.SignatureTemplate.Encoding) -> String {
        switch encoding {
        case .hex: Hex.text(bytes)
        case .base64: Data(bytes).base64EncodedString()
        }
    }
}
