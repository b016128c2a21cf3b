internal import Egress
internal import PluginABI

/// May this plugin make this request, and where does it go? A pure function of manifest, overrides and request.
enum EgressPolicy {
    /// A request that may be made, of the host and as written here.
    struct Route: Sendable, Equatable {
        var origin: Origin
        var authority: String?
        /// Only a dev override may name loopback, and then nothing but it.
        var isLoopbackAllowed: Bool
        /// What may be done with sealed credentials on the way there.
        var sealed: [Permissions.SealedUse] = []
    }

    /// - Throws: `ABIError` with `permissionDenied`; its message names the rule and what would allow the request.
    static func route(_ request: FetchRequest, for plugin: InstalledPlugin) throws(ABIError) -> Route {
        let rules = plugin.manifest.permissions.httpFetch
        guard let rule = rules.first(where: { $0.endpoint == request.endpoint }) else {
            let known = rules.map(\.endpoint).joined(separator: ", ")
            throw deny(
                "the endpoint \"\(request.endpoint.cut(to: 64))\" is not declared "
                    + "(declared: \(known.isEmpty ? "none" : known))"
            )
        }
        let place = "permissions.http.fetch \"\(rule.endpoint)\""
        guard rule.methods.contains(request.method) else {
            throw deny("\(place) allows \(rule.methods.joined(separator: ", ")), not \(request.method.cut(to: 16))")
        }
        guard isPlain(path: request.path) else {
            throw deny("the path must be plain: letters, digits and -._~/ only, no // and no dot segments")
        }
        guard rule.paths.contains(where: { request.path.hasPrefix($0) }) else {
            throw deny(
                "\(place) allows paths under \(rule.paths.joined(separator: ", ")), not \(request.path.cut(to: 200))")
        }
        guard request.query.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw deny("the query must be percent-encoded ASCII without #")
        }
        try check(headers: request.headers)
        if let override = plugin.endpoints[rule.endpoint] {
            return Route(
                origin: override.origin, authority: override.authority, isLoopbackAllowed: override.weakeningLoopback,
                sealed: rule.sealed)
        }
        guard let origin = Origin(rule.origin) else { throw deny("the declared origin \(rule.origin) is not valid") }
        return Route(origin: origin, authority: nil, isLoopbackAllowed: false, sealed: rule.sealed)
    }

    /// What the core is asked: this host and port, and what its addresses may be.
    ///
    /// - Throws: `permissionDenied` for an origin that the core does not take as a host.
    static func target(of route: Route) throws(ServiceFailure) -> (EgressTarget, EgressRule) {
        do throws(EgressRefusal) {
            let target = EgressTarget(host: try HostName(route.origin.host), port: UInt16(route.origin.port))
            return (
                target,
                EgressRule(
                    host: target.host, port: target.port, weakening: route.isLoopbackAllowed ? .loopbackOnly : nil)
            )
        } catch {
            throw refusal(error)
        }
    }

    /// May this plugin connect there, and where does that lead? What the core is asked, as for `http.fetch`.
    ///
    /// - Throws: `EgressRefusal` with `name` or `notAllowed`, naming what is declared.
    static func connection(
        to asked: EgressTarget, for plugin: InstalledPlugin
    ) throws(EgressRefusal) -> (EgressTarget, EgressRule) {
        var declared = EgressAllowList([])
        for permission in plugin.manifest.permissions.netConnect {
            declared.rules.append(try EgressRule("\(permission.host):\(permission.port)"))
        }
        let rule = try declared.rule(for: asked)
        guard let override = plugin.endpoints[asked.description] else { return (asked, rule) }
        let target = EgressTarget(host: try HostName(override.origin.host), port: UInt16(override.origin.port))
        return (
            target,
            EgressRule(
                host: target.host, port: target.port, weakening: override.weakeningLoopback ? .loopbackOnly : nil)
        )
    }

    /// The core's refusal in the words of a host service.
    static func refusal(_ refusal: EgressRefusal, of service: String = "http.fetch") -> ServiceFailure {
        let error =
            switch refusal.rule {
            case .unreachable: ABIError(.unavailable, refusal.message)
            case .quota: ABIError(.unavailable, "\(service) refused: \(refusal.message)")
            case .loopback:
                ABIError(
                    .permissionDenied,
                    "\(service) refused: \(refusal.message); `nexus plugin endpoint … --dev-loopback` would allow one")
            case .name, .notAllowed, .address, .request:
                ABIError(.permissionDenied, "\(service) refused: \(refusal.message)")
            }
        return ServiceFailure(error, by: refusal.rule)
    }

    private static func isPlain(path: String) -> Bool {
        guard path.hasPrefix("/"), path.utf8.count <= 2_048 else { return false }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let isWhole = parts.dropLast().allSatisfy { !$0.isEmpty }
        return isWhole && !parts.contains(".") && !parts.contains("..")
            && path.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }

    /// Headers that frame the message, name its host, or have a server act on another path or method than the one that
    /// was checked are the host's business. So is every `x-forwarded-…`.
    private static let ownHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
        "proxy-authorization", "proxy-connection", "cookie", "forwarded", "via",
        "x-host", "x-original-host", "x-original-uri", "x-original-url", "x-rewrite-url", "x-real-ip", "x-http-method",
        "x-http-method-override", "x-method-override",
    ]

    private static func check(headers: [FetchRequest.Header]) throws(ABIError) {
        guard headers.count <= HostLimits.fetchHeaders else {
            throw deny("more than \(HostLimits.fetchHeaders) headers")
        }
        for header in headers {
            let isToken =
                !header.name.isEmpty
                && header.name.utf8.allSatisfy {
                    $0 == UInt8(ascii: "-") || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || (0x30...0x39).contains($0)
                }
            guard isToken, header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
                throw deny("the header \"\(header.name.cut(to: 40))\" is not a plain name and value")
            }
            let name = header.name.lowercased()
            guard !ownHeaders.contains(name), !name.hasPrefix("x-forwarded-") else {
                throw deny("the header \(header.name) is set by the host only")
            }
        }
    }

    private static func deny(_ reason: String) -> ABIError {
        ABIError(.permissionDenied, "http.fetch refused: \(reason)")
    }
}
