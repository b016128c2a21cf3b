internal import FoundationEssentials
internal import GRDB

/// Values that plugins keep with the host, each plugin in a space of its own that goes with it.
public struct KeyValueStore: Sendable {
    private let database: Database

    public init(database: Database) { self.database = database }

    func get(_ key: String, of plugin: String) throws(HostError) -> [UInt8]? {
        try database.read { database in
            try Data.fetchOne(
                database, sql: "SELECT bytes FROM value WHERE plugin = ? AND key = ?",
                arguments: [plugin, Self.blob(key)]
            ).map(Array.init)
        }
    }

    /// - Parameter quota: for all keys and values of the plugin, in bytes.
    /// - Returns: false, and nothing is changed, if the plugin's values would then be over the quota.
    func put(_ key: String, _ bytes: [UInt8], of plugin: String, quota: Int) throws(HostError) -> Bool {
        try database.write { database in
            let others =
                try Int.fetchOne(
                    database,
                    sql: """
                        SELECT coalesce(sum(length(key) + length(bytes)), 0) FROM value WHERE plugin = ? AND key <> ?
                        """, arguments: [plugin, Self.blob(key)]) ?? 0
            guard others + key.utf8.count + bytes.count <= quota else { return false }
            try database.execute(
                sql: "INSERT OR REPLACE INTO value (plugin, key, bytes) VALUES (?, ?, ?)",
                arguments: [plugin, Self.blob(key), bytes.blob])
            return true
        }
    }

    /// - Returns: whether there was one.
    func delete(_ key: String, of plugin: String) throws(HostError) -> Bool {
        try database.write { database in
            try database.execute(
                sql: "DELETE FROM value WHERE plugin = ? AND key = ?", arguments: [plugin, Self.blob(key)])
            return database.changesCount > 0
        }
    }

    /// At most `limit` keys in the order of their bytes, and whether there are more.
    func list(
        prefix: String, after: String?, limit: Int, of plugin: String
    ) throws(HostError) -> (keys: [String], more: Bool) {
        let start = Self.blob(prefix)
        let found = try database.read { database in
            try Data.fetchAll(
                database,
                sql: """
                    SELECT key FROM value WHERE plugin = ? AND key >= ? AND (? IS NULL OR key > ?)
                    AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?
                    """,
                arguments: [plugin, start, after.map(Self.blob), after.map(Self.blob), start.count, start, limit + 1])
        }
        return (found.prefix(limit).map { String(decoding: $0, as: UTF8.self) }, found.count > limit)
    }

    /// As bytes: SQLite compares text by rules of its own, and ends it at a zero.
    private static func blob(_ key: String) -> Data { Data(key.utf8) }
}
