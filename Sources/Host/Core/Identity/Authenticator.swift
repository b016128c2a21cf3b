internal import Glibc

/// Turns what a connection presents into a caller, or refuses it.
public struct Authenticator: Sendable {
    private let tokens: TokenStore
    private let administrators: Set<UInt32>

    /// - Parameter administrators: user ids that may administer the host over its Unix socket.
    public init(tokens: TokenStore, administrators: Set<UInt32>) {
        self.tokens = tokens
        self.administrators = administrators
    }

    /// - Throws: `HostError` with `unauthenticated` or `forbidden`.
    public func caller(_ presented: Presented) throws(HostError) -> Caller {
        let isAdministrator = presented.peerUserID.map(administrators.contains) ?? false
        if let bearer = presented.bearer {
            let token = try tokens.find(bearer)
            guard token.use == .tools else {
                throw HostError(
                    .forbidden, "the token of \(token.user) reads /metrics only; make one with `nexus token create`")
            }
            return Caller(
                actor: token.user, principal: try principal(presented.onBehalfOf, token: token),
                isAdministrator: isAdministrator)
        }
        guard let uid = presented.peerUserID else {
            throw HostError(
                .unauthenticated,
                "this request carries no token; send \"Authorization: Bearer …\" (see `nexus token create`)")
        }
        guard presented.onBehalfOf == nil else {
            throw HostError(
                .forbidden, "only a token made with --may-act-for may name an end user; this connection has none")
        }
        let name = Self.userName(uid)
        return Caller(actor: name, principal: name, isAdministrator: isAdministrator)
    }

    /// Whether a connection without a name, over TCP, may read the metrics. A token for tools may not: what others do
    /// with theirs is not its user's to watch.
    ///
    /// - Throws: `HostError` with `unauthenticated` or `forbidden`.
    public func checkMetricsReader(_ presented: Presented) throws(HostError) {
        let remedy = "make one with `nexus token create --user NAME --metrics`"
        guard let bearer = presented.bearer else {
            throw HostError(
                .unauthenticated, "the metrics are read with a token, \"Authorization: Bearer …\"; \(remedy)")
        }
        let token = try tokens.find(bearer)
        guard token.use == .metrics else {
            throw HostError(.forbidden, "the token of \(token.user) calls tools and does not read metrics; \(remedy)")
        }
    }

    private func principal(_ endUser: String?, token: Token) throws(HostError) -> String {
        guard let endUser else { return token.user }
        guard let group = token.mayActFor else {
            throw HostError(
                .forbidden, "the token of \(token.user) may not act for others; create one with --may-act-for GROUP")
        }
        guard UserName.isValid(endUser) else {
            throw HostError(.forbidden, "the end user's name is not valid: \(UserName.rule)")
        }
        // Users of a group live under its name, so that no token can speak for a user of this machine.
        return "\(group)/\(endUser)"
    }

    /// The account name of a user id; `uid-1234` where there is none.
    public static func userName(_ uid: UInt32) -> String {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(uid, &record, &buffer, buffer.count, &found) == 0, found != nil, let name = record.pw_name
        else {
            return "uid-\(uid)"
        }
        let text = String(cString: name)
        return UserName.isValid(text) ? text : "uid-\(uid)"
    }
}

/// Names of users and groups.
public enum UserName {
    public static let rule = "use 1 to 64 of A–Z, a–z, 0–9, . _ @ -, starting with a letter or digit"

    public static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || [0x2E, 0x5F, 0x40, 0x2D].contains($0) }
    }

    /// A principal is a user, or a user of a group: `group/user`.
    public static func isValidPrincipal(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count) && parts.allSatisfy { isValid(String($0)) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
