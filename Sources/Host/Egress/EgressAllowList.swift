/// Where a plugin may be led: one host, or every host below a name, and one port.
public struct EgressRule: Sendable, Hashable, CustomStringConvertible {
    /// A named way to allow more than public addresses. Each use can be found by searching the sources for its name.
    public enum Weakening: String, Sendable {
        /// The host's name must lead to loopback, and to nothing else: a server of this machine, for development.
        case loopbackOnly
    }
    public let host: HostName
    /// The rule is for every name below `host` and not for `host` itself.
    public let isWildcard: Bool
    public let port: UInt16
    public let weakening: Weakening?

    /// - Parameter isWildcard: the rule is for the names below `host`.
    public init(host: HostName, isWildcard: Bool = false, port: UInt16, weakening: Weakening? = nil) {
        self.host = host
        self.isWildcard = isWildcard
        self.port = port
        self.weakening = weakening
    }

    /// Reads `HOST:PORT` or `*.HOST:PORT`; `*` alone and `*.com` are refused, for they would name everybody.
    ///
    /// - Throws: `EgressRefusal` with `name`, saying how to write it.
    public init(_ text: some StringProtocol, weakening: Weakening? = nil) throws(EgressRefusal) {
        let (name, port) = try EgressTarget.split(Substring(text))
        let isWildcard = name.hasPrefix("*")
        let host = try HostName(isWildcard ? name.dropFirst(2) : name)
        guard !isWildcard || (name.hasPrefix("*.") && host.literal == nil && host.text.contains(".")) else {
            throw EgressRefusal(
                .name, "\"\(EgressRefusal.printable(text))\" is too wide; write *.example.com:443 or the host itself")
        }
        self.init(host: host, isWildcard: isWildcard, port: port, weakening: weakening)
    }

    public var description: String { "\(isWildcard ? "*." : "")\(host.inAuthority):\(port)" }

    func allows(_ target: EgressTarget) -> Bool {
        guard port == target.port else { return false }
        return isWildcard ? target.host.text.hasSuffix(".\(host.text)") : host == target.host
    }
}

/// What a plugin or its proxy's client asks for: one host in canonical spelling and a port.
public struct EgressTarget: Sendable, Hashable, CustomStringConvertible {
    public let host: HostName
    public let port: UInt16

    public init(host: HostName, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, the authority-form of RFC 9112 section 3.2.3. The port is needed.
    ///
    /// - Throws: `EgressRefusal` with `name`.
    public init(_ text: some StringProtocol) throws(EgressRefusal) {
        let (name, port) = try Self.split(Substring(text))
        self.init(host: try HostName(name), port: port)
    }

    public var description: String { "\(host.inAuthority):\(port)" }

    static func split(_ text: Substring) throws(EgressRefusal) -> (Substring, UInt16) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0,
            text[text.index(after: colon)...] == String(port)
        else {
            throw EgressRefusal(
                .name, "\"\(EgressRefusal.printable(text))\" is not HOST:PORT with a port from 1 to 65535")
        }
        return (text[..<colon], port)
    }
}

/// Everything that one plugin may connect to. Empty, it allows nothing.
public struct EgressAllowList: Sendable, Equatable {
    public var rules: [EgressRule]

    public init(_ rules: [EgressRule]) { self.rules = rules }

    /// - Throws: `EgressRefusal` with `notAllowed`, naming what is allowed.
    public func rule(for target: EgressTarget) throws(EgressRefusal) -> EgressRule {
        if let rule = rules.first(where: { $0.allows(target) }) { return rule }
        let known = rules.prefix(8).map(\.description).joined(separator: ", ")
        let more = rules.count > 8 ? " and \(rules.count - 8) more" : ""
        throw EgressRefusal(
            .notAllowed, "\(target) is not allowed; allowed: \(known.isEmpty ? "nothing" : known + more)")
    }
}

extension EgressRule {
    /// Every address of a name must be one that the rule allows, so that none can be slipped in among good ones.
    ///
    /// - Returns: the addresses, in the resolver's order; at least one.
    /// - Throws: `EgressRefusal` with `address`, or `unreachable` where there is none.
    public func checked(
        _ addresses: [NetworkAddress], of host: HostName
    ) throws(EgressRefusal) -> [NetworkAddress] {
        guard !addresses.isEmpty else {
            throw EgressRefusal(.unreachable, "\(host) has no address; check the name and the host's DNS")
        }
        for address in addresses {
            switch (address.verdict, weakening) {
            case (.global, nil), (.loopback, .loopbackOnly): continue
            case (.loopback, nil):
                throw EgressRefusal(.loopback, "\(host) is \(address), a loopback address of this host")
            case (.global, .loopbackOnly):
                throw EgressRefusal(.address, "\(host) is \(address), but only loopback is allowed under this name")
            case (.refused(let name), _):
                throw EgressRefusal(
                    .address, "\(host) is \(address), a \(name) address; plugins reach public addresses only")
            }
        }
        return addresses
    }
}
