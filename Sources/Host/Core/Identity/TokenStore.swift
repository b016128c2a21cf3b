internal import Crypto
internal import GRDB

/// A bearer token as the host remembers it: never the token itself.
public struct Token: Sendable, Equatable {
    public enum Use: String, Sendable {
        /// Lists and calls tools.
        case tools
        /// Reads the metrics, and nothing else.
        case metrics
    }

    public var id: String
    public var user: String
    public var mayActFor: String?
    /// Unix seconds.
    public var created: Int
    public var expires: Int?
    public var revoked: Int?
    public var use = Use.tools
}

/// Bearer tokens: 256 random bits, opaque, stored as SHA-256, revocable.
public struct TokenStore: Sendable {
    private let database: Database
    private let now: @Sendable () -> Int

    public init(database: Database, now: @escaping @Sendable () -> Int = Clock.unixSeconds) {
        self.database = database
        self.now = now
    }

    /// Makes a token for a user.
    ///
    /// - Parameter lifetimeSeconds: nil for a token that does not expire.
    /// - Returns: the record, and the token itself, which is shown this once.
    public func create(
        user: String, mayActFor group: String? = nil, use: Token.Use = .tools, lifetimeSeconds: Int? = nil
    ) throws(HostError) -> (record: Token, bearer: String) {
        guard use == .tools || group == nil else {
            throw HostError(.invalidRequest, "a token for metrics calls no tools, so it acts for nobody")
        }
        for name in [user, group].compactMap({ $0 }) where !UserName.isValid(name) {
            throw HostError(.invalidRequest, "\"\(name)\" is not a user or group name: \(UserName.rule)")
        }
        if let lifetimeSeconds, !(1...315_360_000).contains(lifetimeSeconds) {
            throw HostError(.invalidRequest, "a token lives from 1 second to 10 years, not \(lifetimeSeconds) seconds")
        }
        let bearer = "nxt_" + Hex.text(RandomBytes.make(32))
        let created = now()
        let record = Token(
            id: Hex.text(RandomBytes.make(6)), user: user, mayActFor: group, created: created,
            expires: lifetimeSeconds.map { created + $0 }, revoked: nil, use: use)
        try database.write { database in
            try database.execute(
                sql: """
                    INSERT INTO token (id, hash, user, may_act_for, created, expires, use) VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [record.id, Self.hash(bearer).blob, user, group, created, record.expires, use.rawValue])
        }
        return (record, bearer)
    }

    /// - Throws: `unauthenticated`, in the same words for a token that is unknown, expired or revoked.
    func find(_ bearer: String) throws(HostError) -> Token {
        let hash = Self.hash(bearer)
        // The look-up is by hash: what its timing tells is not the token.
        let found = try database.read {
            try Row.fetchOne($0, sql: "SELECT * FROM token WHERE hash = ?", arguments: [hash.blob]).map(Self.token)
        }
        guard let token = found, token.revoked == nil, token.expires.map({ $0 > now() }) ?? true else {
            throw HostError(
                .unauthenticated,
                "the token is not valid (unknown, expired or revoked); make one with `nexus token create`")
        }
        return token
    }

    public func list() throws(HostError) -> [Token] {
        try database.read { try Row.fetchAll($0, sql: "SELECT * FROM token ORDER BY created, id").map(Self.token) }
    }

    /// - Throws: `invalidRequest` if no token has this id.
    public func revoke(id: String) throws(HostError) {
        let time = now()
        let count = try database.write { database in
            try database.execute(
                sql: "UPDATE token SET revoked = coalesce(revoked, ?) WHERE id = ?", arguments: [time, id])
            return database.changesCount
        }
        guard count == 1 else {
            throw HostError(.invalidRequest, "no token has the id \"\(id)\"; see `nexus token list`")
        }
    }

    private static func hash(_ bearer: String) -> [UInt8] { Array(SHA256.hash(data: Array(bearer.utf8))) }

    private static func token(_ row: Row) -> Token {
        // A use that this version does not know must not become one that it does: then it reads metrics at most.
        Token(
            id: row["id"], user: row["user"], mayActFor: row["may_act_for"], created: row["created"],
            expires: row["expires"], revoked: row["revoked"],
            use: Token.Use(rawValue: row["use"]) ?? .metrics)
    }
}
