internal import Egress
internal import JSONBytes
internal import PluginABI

/// A request that uses sealed credentials: checked first, and completed with them right before it is sent.
///
/// The plugin names the credentials; what is done with them is data in its manifest, which an admin granted. Values go
/// from the store into the request and nowhere else.
struct SealedRequest {
    private var request: FetchRequest
    private let uses: [Permissions.SealedUse]
    private let credentials: SealedCredentials?
    /// As the server sees it in the header Host.
    private let host: String

    /// - Throws: `permissionDenied` for a credential that this call or endpoint has no sealed use for, and for a
    ///   request that writes what the host writes.
    init(_ request: FetchRequest, _ route: EgressPolicy.Route, in context: CallContext) throws(ServiceFailure) {
        self.request = request
        credentials = context.sealed
        host = route.origin.port == 443 ? route.origin.host : "\(route.origin.host):\(route.origin.port)"
        let named = Set(request.sealed)
        uses = route.sealed.filter { named.isSuperset(of: $0.credentials) }
        for name in request.sealed {
            guard context.sealed?[name] != nil else {
                throw ServiceFailure(
                    Self.denial(
                        "the call of \(context.tool) has no sealed credential \"\(name.cut(to: 64))\"; "
                            + "its tool names it, and permissions.credentials delivers it sealed"))
            }
            guard uses.contains(where: { $0.credentials.contains(name) }) else {
                throw ServiceFailure(
                    Self.denial(
                        "permissions.http.fetch \"\(request.endpoint)\" has no entry under sealed for \(name) "
                            + "that needs no other credential than those named"))
            }
        }
        guard uses.isEmpty || PercentEncoding.isQuery(request.query) else {
            throw Self.leave(
                "the query has what RFC 3986 wants percent-encoded; an HTTP library would send another one than is "
                    + "checked and signed here")
        }
        for place in uses.flatMap(\.places) { try refuse(place) }
        if context.sealed != nil, has(header: "accept-encoding") {
            throw Self.leave("the header accept-encoding: the host has to read the answers of a call with sealed keys")
        }
    }

    /// The request as it leaves.
    ///
    /// - Throws: `credentialMissing` for a stored value that cannot do what is asked of it.
    func completed(at now: UInt64) throws(ABIError) -> FetchRequest {
        var draft = SignatureDraft(request: request, host: host, time: UTCTime(unixMilliseconds: now))
        for case .place(let place, let name, let after) in uses {
            try draft.put(text(of: name, after: after), at: place)
        }
        for use in uses where use.signs {
            guard let key = use.credentials.first else { continue }
            let secret = try secret(key)
            do throws(SignatureKey.Fault) {
                switch use {
                case .place: break
                case .binance: try draft.signForBinance(with: secret)
                case .awsSignatureV4(let scheme): try sign(&draft, scheme, secret)
                case .template(let template): try sign(&draft, template, secret)
                }
            } catch {
                throw ABIError(.credentialMissing, "the credential \(key) cannot be used: \(error.reason)")
            }
        }
        return draft.request
    }

    private func sign(
        _ draft: inout SignatureDraft, _ scheme: Permissions.AWSSignature, _ key: SecretBytes
    ) throws(SignatureKey.Fault) {
        let (id, session) = (try value(scheme.id), try scheme.session.map(value))
        try AWSSignatureV4(scheme: scheme, id: id, session: session).sign(&draft, with: key)
    }

    private func sign(
        _ draft: inout SignatureDraft, _ template: Permissions.SignatureTemplate, _ key: SecretBytes
    ) throws(SignatureKey.Fault) {
        try draft.sign(by: template, with: key) { (name) throws(SignatureKey.Fault) in try value(name) }
    }

    /// - Throws: `unavailable` once the call has ended.
    private func secret(_ name: String) throws(ABIError) -> SecretBytes {
        guard let secret = credentials?[name] else {
            throw ABIError(.unavailable, "http.fetch: the call has ended, and its credentials with it")
        }
        return secret
    }

    /// As text that can stand in a header. An HTTP library takes text only, which cannot be overwritten: the exception
    /// that docs/THREAT_MODEL.md names.
    private func text(of name: String, after: String) throws(ABIError) -> String {
        let secret = try secret(name)
        guard let text = Self.printable(secret) else {
            throw ABIError(
                .credentialMissing,
                "the credential \(name) cannot be used: it is not printable ASCII without spaces around; store it again"
            )
        }
        return after + text
    }

    private func value(_ name: String) throws(SignatureKey.Fault) -> String {
        guard let secret = credentials?[name], let text = Self.printable(secret) else {
            throw SignatureKey.Fault(reason: "\(name) beside it is not printable ASCII")
        }
        return text
    }

    private static func printable(_ secret: SecretBytes) -> String? {
        secret.withBytes { bytes in
            let isPrintable = bytes.allSatisfy { (0x20...0x7E).contains($0) }
            guard isPrintable, bytes.first != 0x20, bytes.last != 0x20 else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    // MARK: What the plugin may not write

    private func refuse(_ place: Permissions.RequestPlace) throws(ServiceFailure) {
        switch place {
        case .header(let name) where has(header: name):
            throw Self.leave("the header \(name) is set by the host, as permissions.http.fetch says under sealed")
        case .query(let name) where request.parameters.contains(name):
            throw Self.leave("the parameter \(name) is set by the host, as permissions.http.fetch says under sealed")
        default: return
        }
    }

    private func has(header name: String) -> Bool {
        request.headers.contains { $0.name.lowercased() == name.lowercased() }
    }

    /// What no permission allows: the request has to be another one.
    private static func leave(_ reason: String) -> ServiceFailure { ServiceFailure(denial(reason), by: .request) }

    private static func denial(_ reason: String) -> ABIError {
        ABIError(.permissionDenied, "http.fetch refused: \(reason)")
    }
}

extension FetchRequest {
    /// Names of parameters in the query and in a body of the form type, percent-decoded as a server does. Parted by
    /// bytes: what follows a sign in Unicode can make another character of it, and a server does not care.
    fileprivate var parameters: Set<String> {
        let pairs = [Array(query.utf8), body].flatMap { list in
            list.split { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: ";") }
        }
        return Set(
            pairs.map { pair in
                PercentEncoding.decoded(String(decoding: pair.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self))
            })
    }
}
