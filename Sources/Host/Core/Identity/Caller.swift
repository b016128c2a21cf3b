/// Who is calling. These names travel with a call through policy, credentials and audit; nothing else names a user.
public struct Caller: Sendable, Equatable {
    /// Who is connected: the peer of the Unix socket, or the owner of the bearer token.
    public var actor: String
    /// On whose behalf: the actor, or an end user of the group that the actor's token may act for.
    public var principal: String
    /// True for the peer of the Unix socket who may administer this host.
    public var isAdministrator: Bool

    public init(actor: String, principal: String, isAdministrator: Bool = false) {
        self.actor = actor
        self.principal = principal
        self.isAdministrator = isAdministrator
    }
}

/// What a connection shows of itself, before anybody believes it.
public struct Presented: Sendable, Equatable {
    /// The kernel's word on the peer of a Unix socket (SO_PEERCRED); nil over TCP.
    public var peerUserID: UInt32?
    /// The token of `Authorization: Bearer …`.
    public var bearer: String?
    /// The end user that the request's `_meta` names.
    public var onBehalfOf: String?

    public init(peerUserID: UInt32? = nil, bearer: String? = nil, onBehalfOf: String? = nil) {
        self.peerUserID = peerUserID
        self.bearer = bearer
        self.onBehalfOf = onBehalfOf
    }
}
