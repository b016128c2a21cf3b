internal import FoundationEssentials
internal import GRDB
internal import PluginABI

/// The store's SQL. `secret` says which version is current, `secret_version` holds the versions, `vault` is one row:
/// master key's id, salt, epoch and the set's code.
enum SecretTable {
    struct Vault: Sendable, Equatable {
        var master: String
        var salt: [UInt8]
        var epoch: Int
        var code: [UInt8]
        /// Deleted bytes may still lie in the file or its log.
        var needsScrub: Bool
    }

    /// A row of `secret` with the record that it names; nil where that is missing.
    struct Current: Sendable {
        var address: SecretAddress
        var version: Int
        var used: Int?
        var record: SecretRecord?
    }

    private static let place = "scope = ? AND owner = ? AND plugin = ? AND name = ?"
    private static let current = """
        SELECT s.scope, s.owner, s.plugin, s.name, s.version, s.used, v.master, v.wrapped, v.sealed, v.created,
            v.expires
        FROM secret s LEFT JOIN secret_version v USING (scope, owner, plugin, name, version)
        """

    static func current(_ database: GRDB.Database, _ address: SecretAddress) throws -> Current? {
        let statement = try database.cachedStatement(
            sql: "\(current) WHERE s.scope = ? AND s.owner = ? AND s.plugin = ? AND s.name = ?")
        return try Row.fetchOne(statement, arguments: arguments(address)).map { row in
            Current(address: address, version: row["version"], used: row["used"], record: record(row))
        }
    }

    static func all(_ database: GRDB.Database) throws -> [Current] {
        try Row.fetchAll(database, sql: "\(current) ORDER BY s.plugin, s.owner, s.name").compactMap { row in
            address(row).map { Current(address: $0, version: row["version"], used: row["used"], record: record(row)) }
        }
    }

    /// For a list: without the sealed bytes.
    static func entries(_ database: GRDB.Database) throws -> [SecretStore.Entry] {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT s.scope, s.owner, s.plugin, s.name, s.version, s.used, v.created, v.expires
                FROM secret s LEFT JOIN secret_version v USING (scope, owner, plugin, name, version)
                ORDER BY s.plugin, s.owner, s.name
                """)
        var entries: [SecretStore.Entry] = []
        while let row = try rows.next() {
            guard let scope = Permissions.CredentialUse.Scope(rawValue: row[0]) else { continue }
            entries.append(
                SecretStore.Entry(
                    address: SecretAddress(scope: scope, owner: row[1], plugin: row[2], name: row[3]),
                    version: row[4], created: row[6] ?? 0, expires: row[7], used: row[5]))
        }
        return entries
    }

    /// Newest first.
    static func versions(_ database: GRDB.Database, of address: SecretAddress) throws -> [SecretRecord] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM secret_version WHERE \(place) ORDER BY version DESC",
            arguments: arguments(address)
        ).compactMap(record)
    }

    /// Every version of every secret.
    static func everyVersion(_ database: GRDB.Database) throws -> [(SecretAddress, SecretRecord)] {
        try Row.fetchAll(database, sql: "SELECT * FROM secret_version").compactMap { row in
            guard let address = address(row), let record = record(row) else { return nil }
            return (address, record)
        }
    }

    /// Makes the record the current version, and keeps only the newest ones.
    static func put(_ database: GRDB.Database, _ record: SecretRecord, at address: SecretAddress) throws {
        let place = arguments(address)
        try database.execute(
            sql: """
                INSERT INTO secret_version
                    (scope, owner, plugin, name, version, master, wrapped, sealed, created, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: place + [
                record.version, record.master, record.wrapped.blob, record.sealed.blob, record.created, record.expires,
            ])
        try database.execute(
            sql: """
                INSERT INTO secret (scope, owner, plugin, name, version) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET version = excluded.version
                """, arguments: place + [record.version])
        try database.execute(
            sql: "DELETE FROM secret_version WHERE \(Self.place) AND version <= ?",
            arguments: place + [record.version - HostLimits.secretVersions])
    }

    static func rewrap(_ database: GRDB.Database, _ record: SecretRecord, at address: SecretAddress) throws {
        let statement = try database.cachedStatement(
            sql: "UPDATE secret_version SET master = ?, wrapped = ? WHERE \(place) AND version = ?")
        try statement.execute(
            arguments: [record.master, record.wrapped.blob] + arguments(address) + [record.version])
    }

    static func remove(_ database: GRDB.Database, _ address: SecretAddress) throws {
        for table in ["secret", "secret_version"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE \(place)", arguments: arguments(address))
        }
    }

    static func markUsed(_ database: GRDB.Database, _ address: SecretAddress, at time: Int) throws {
        let statement = try database.cachedStatement(sql: "UPDATE secret SET used = ? WHERE \(place)")
        try statement.execute(arguments: [time] + arguments(address))
    }

    static func vault(_ database: GRDB.Database) throws -> Vault? {
        try Row.fetchOne(database, sql: "SELECT * FROM vault").map { row in
            Vault(
                master: row["master"], salt: bytes(row["salt"]), epoch: row["epoch"], code: bytes(row["code"]),
                needsScrub: row["scrub"])
        }
    }

    static func put(_ database: GRDB.Database, _ vault: Vault) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO vault (id, master, salt, epoch, code, scrub) VALUES (1, ?, ?, ?, ?, ?)",
            arguments: [vault.master, vault.salt.blob, vault.epoch, vault.code.blob, vault.needsScrub])
    }

    /// Records of format 1: sealed under the master key itself.
    static func formatOne(
        _ database: GRDB.Database
    ) throws -> [(address: SecretAddress, version: Int, sealed: [UInt8], created: Int)] {
        try Row.fetchAll(database, sql: "SELECT * FROM secret_format_1").compactMap { row in
            address(row).map { ($0, row["version"], bytes(row["sealed"]), row["created"]) }
        }
    }

    static func clearFormatOne(_ database: GRDB.Database) throws {
        try database.execute(sql: "DELETE FROM secret_format_1")
    }

    private static func address(_ row: Row) -> SecretAddress? {
        Permissions.CredentialUse.Scope(rawValue: row["scope"]).map { scope in
            SecretAddress(scope: scope, owner: row["owner"], plugin: row["plugin"], name: row["name"])
        }
    }

    private static func record(_ row: Row) -> SecretRecord? {
        guard let master = row["master"] as String? else { return nil }
        return SecretRecord(
            version: row["version"], master: master, wrapped: bytes(row["wrapped"]), sealed: bytes(row["sealed"]),
            created: row["created"], expires: row["expires"])
    }

    private static func bytes(_ data: Data) -> [UInt8] { Array(data) }

    private static func arguments(_ address: SecretAddress) -> StatementArguments {
        [address.scope.rawValue, address.owner, address.plugin, address.name]
    }
}
