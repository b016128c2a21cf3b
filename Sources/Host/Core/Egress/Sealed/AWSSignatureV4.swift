internal import Crypto
internal import PluginABI

/// AWS Signature Version 4 in the header Authorization (AWS General Reference, "Signature Version 4 signing process").
///
/// Paths are plain and queries percent-encoded in one spelling, or refused; so path and query are canonical as they
/// are, whether a service encodes once or twice. Every header that the plugin sends is signed.
struct AWSSignatureV4 {
    let scheme: Permissions.AWSSignature
    let id: String
    let session: String?

    func sign(_ draft: inout SignatureDraft, with key: SecretBytes) throws(SignatureKey.Fault) {
        let query = draft.request.query
        guard PercentEncoding.isCanonical(query: query) else {
            throw SignatureKey.Fault(reason: "the query is not percent-encoded as RFC 3986 says, a space as %20")
        }
        let bodyHash = Hex.text(SHA256.hash(data: draft.request.body))
        draft.put(draft.time.basic, at: .header("X-Amz-Date"))
        // S3 asks for it; other services do not read it.
        if scheme.service == "s3" { draft.put(bodyHash, at: .header("X-Amz-Content-SHA256")) }
        if let session { draft.put(session, at: .header("X-Amz-Security-Token")) }
        let headers = signedHeaders(draft)
        let names = headers.map(\.name).joined(separator: ";")
        let canonical = [
            draft.request.method, draft.request.path, Self.sorted(query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names, bodyHash,
        ].joined(separator: "\n")
        let scope = "\(draft.time.date)/\(scheme.region)/\(scheme.service)/aws4_request"
        let text = [
            "AWS4-HMAC-SHA256", draft.time.basic, scope, Hex.text(SHA256.hash(data: Array(canonical.utf8))),
        ].joined(separator: "\n")
        let signature = Hex.text(signature(of: text, on: draft.time.date, with: key))
        draft.put(
            "AWS4-HMAC-SHA256 Credential=\(id)/\(scope), SignedHeaders=\(names), Signature=\(signature)",
            at: .header("Authorization"))
    }

    /// A key for the day, the region and the service, each derived from the one before.
    private func signature(of text: String, on date: String, with key: SecretBytes) -> [UInt8] {
        var derived = Array("AWS4".utf8)
        // One allocation: an array that grows leaves a copy behind.
        derived.reserveCapacity(4 + key.count)
        key.withBytes { derived.append(contentsOf: $0) }
        for step in [date, scheme.region, scheme.service, "aws4_request"] {
            let next = derived.withUnsafeBytes { SignatureKey.hmac(Array(step.utf8), key: $0) }
            derived.wipe()
            derived = next
        }
        defer { derived.wipe() }
        return derived.withUnsafeBytes { SignatureKey.hmac(Array(text.utf8), key: $0) }
    }

    /// In the order of their names, values without needless spaces, several of one name as one.
    private func signedHeaders(_ draft: SignatureDraft) -> [(name: String, value: String)] {
        var values: [String: [String]] = ["host": [draft.host]]
        for header in draft.request.headers {
            let value = header.value.split(separator: " ").joined(separator: " ")
            values[header.name.lowercased(), default: []].append(value)
        }
        // Something on the way may add to it.
        values["user-agent"] = nil
        return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
    }

    private static func sorted(_ query: String) -> String {
        let pairs = query.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: sides[0], value: sides.count > 1 ? sides[1] : "")
        }
        let sorted = pairs.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
        return sorted.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }
}
