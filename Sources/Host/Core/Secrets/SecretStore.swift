internal import Crypto
internal import FoundationEssentials
internal import GRDB
public import PluginABI

/// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under the master key, 96-bit random nonce, 128-bit tag, bound to
/// their address and version. Stored as nonce, ciphertext, tag.
public struct SecretStore: Sendable {
    private let database: Database
    private let key: MasterKey

    public init(database: Database, key: MasterKey) {
        self.database = database
        self.key = key
    }

    /// What may be told of a secret.
    public struct Entry: Sendable, Equatable {
        public var address: SecretAddress
        public var version: Int
        /// Unix seconds.
        public var created: Int
    }

    /// Seals a value; an older one under the same address is replaced.
    ///
    /// - Throws: `invalidRequest` for an empty or too long value.
    public func set(_ address: SecretAddress, _ value: SecretBytes) throws(HostError) {
        guard (1...HostLimits.secretBytes).contains(value.count) else {
            throw HostError(
                .invalidRequest, "a secret has 1 to \(HostLimits.secretBytes) bytes; \(address.name) has \(value.count)"
            )
        }
        let key = key.key
        try database.write { database in
            let version = try Int.fetchOne(
                database, sql: "SELECT version FROM secret \(Self.place)", arguments: Self.arguments(address))
            let (next, overflow) = (version ?? 0).addingReportingOverflow(1)
            guard !overflow else {
                throw HostError(
                    .storageFailed, "the version of \(address.name) was changed: remove it and set it again")
            }
            let box = try value.withBytes { bytes in
                try AES.GCM.seal(bytes, using: key, authenticating: address.associatedData(version: next))
            }
            guard let sealed = box.combined else { throw HostError(.storageFailed, "the secret could not be sealed") }
            try database.execute(
                sql: """
                    INSERT INTO secret (scope, owner, plugin, name, version, sealed, created)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET
                        version = excluded.version, sealed = excluded.sealed, created = excluded.created
                    """,
                arguments: Self.arguments(address) + [next, sealed, Clock.unixSeconds()])
        }
    }

    /// Opens a secret; nil if there is none.
    ///
    /// - Throws: `secretUnreadable` if the record was changed, moved, or sealed under another key.
    func open(_ address: SecretAddress) throws(HostError) -> SecretBytes? {
        let row = try database.read {
            try Row.fetchOne(
                $0, sql: "SELECT version, sealed FROM secret \(Self.place)", arguments: Self.arguments(address)
            ).map { (version: $0["version"] as Int, sealed: $0["sealed"] as Data) }
        }
        guard let (version, sealed) = row else { return nil }
        do {
            var plain = try AES.GCM.open(
                AES.GCM.SealedBox(combined: sealed), using: key.key,
                authenticating: address.associatedData(version: version))
            defer { plain.withUnsafeMutableBytes(SecretBytes.wipe) }
            return SecretBytes(copying: plain)
        } catch {
            throw HostError(
                .secretUnreadable,
                "the secret \(address.name) of \(address.owner.isEmpty ? "everyone" : address.owner) "
                    + "for \(address.plugin) cannot be opened: it was changed, or the master key is another; "
                    + "set it again with `nexus secret set`"
            )
        }
    }

    public func list() throws(HostError) -> [Entry] {
        try database.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT scope, owner, plugin, name, version, created FROM secret ORDER BY plugin, owner, name"
            ).compactMap { row in
                Permissions.CredentialUse.Scope(rawValue: row["scope"]).map { scope in
                    Entry(
                        address: SecretAddress(
                            scope: scope, owner: row["owner"], plugin: row["plugin"], name: row["name"]),
                        version: row["version"], created: row["created"])
                }
            }
        }
    }

    /// - Returns: whether there was one.
    public func remove(_ address: SecretAddress) throws(HostError) -> Bool {
        try database.write { database in
            try database.execute(sql: "DELETE FROM secret \(Self.place)", arguments: Self.arguments(address))
            return database.changesCount > 0
        }
    }

    /// A keyed fingerprint for the log: tells two values apart, tells nothing of either (HMAC-SHA256, 64 bits of it).
    func fingerprint(_ value: SecretBytes) -> String {
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key.key, info: Array("nexus-audit-fingerprint-1".utf8), outputByteCount: 32)
        let code = value.withBytes { HMAC<SHA256>.authenticationCode(for: $0, using: derived) }
        return Hex.text(code.prefix(8))
    }

    private static let place = "WHERE scope = ? AND owner = ? AND plugin = ? AND name = ?"

    private static func arguments(_ address: SecretAddress) -> StatementArguments {
        [address.scope.rawValue, address.owner, address.plugin, address.name]
    }
}
