internal import FoundationEssentials
internal import GRDB
internal import JSONBytes

/// Keeps incidents in the database, so many of each plugin. Those of a plugin go with it.
public struct IncidentStore: Sendable {
    private let database: Database
    private let most: Int

    public init(database: Database) { self.init(database: database, most: HostLimits.incidentsKept) }

    init(database: Database, most: Int) {
        self.database = database
        self.most = most
    }

    /// Stores an incident and drops the oldest of its plugin beyond the limit.
    ///
    /// - Returns: its id; what `incident.id` says counts for nothing. Nil if its plugin was removed meanwhile: nothing
    ///   is kept for whoever comes under its name.
    func add(_ incident: Incident) throws(HostError) -> Int64? {
        let most = most
        return try database.write { database in
            try database.execute(
                sql: """
                    INSERT INTO incident (time, plugin, version, instance, code, cause, remains)
                    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
                    WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM plugin WHERE name = ?2)
                    """,
                arguments: [
                    Int64(clamping: incident.time), incident.plugin, incident.version, incident.instance,
                    incident.code, incident.cause, JSONValue.object(incident.remains.object).encoded().blob,
                ])
            guard database.changesCount > 0 else { return nil }
            let id = database.lastInsertedRowID
            try database.execute(
                sql: """
                    DELETE FROM incident WHERE plugin IS ?1 AND id <=
                        (SELECT id FROM incident WHERE plugin IS ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                    """, arguments: [incident.plugin, most])
            return id
        }
    }

    /// The latest first.
    ///
    /// - Parameter plugin: nil for those of all plugins and of nexus-jail.
    public func list(of plugin: String? = nil, limit: Int) throws(HostError) -> [Incident] {
        try database.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM incident WHERE ?1 IS NULL OR plugin = ?1 ORDER BY id DESC LIMIT ?2",
                arguments: [plugin, limit]
            ).map(Self.incident)
        }
    }

    /// - Throws: `invalidRequest` if there is none of this id (any more).
    public func incident(_ id: Int64) throws(HostError) -> Incident {
        let found = try database.read {
            try Row.fetchOne($0, sql: "SELECT * FROM incident WHERE id = ?", arguments: [id]).map(Self.incident)
        }
        guard let found else {
            throw HostError(.invalidRequest, "no incident has the id \(id); see `nexus plugin incidents`")
        }
        return found
    }

    private static func incident(_ row: Row) throws -> Incident {
        let bytes: [UInt8] = Array(row["remains"] as Data)
        return Incident(
            id: row["id"], time: UInt64(clamping: row["time"] as Int64), plugin: row["plugin"],
            version: row["version"], instance: row["instance"], code: row["code"], cause: row["cause"],
            remains: Incident.Remains(try JSONValue(parsing: bytes)))
    }
}
