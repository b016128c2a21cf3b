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

    /// - Parameter quota: for all keys and values of the plugin, in bytes; a key counts `HostLimits.keyOverheadBytes`
    ///   beside itself.
    /// - Returns: false, and nothing is changed, if the plugin's values would grow beyond the quota.
    func put(_ key: String, _ bytes: [UInt8], of plugin: String, quota: Int) throws(HostError) -> Bool {
        let size = Self.size(key, bytes.count)
        return try database.write { database in
            let old = try Self.count(database, key, plugin).map { Self.size(key, $0) } ?? 0
            let sum = try Self.sum(database, plugin) - old + size
            // What gets smaller may stay, also where it is over a quota that was lowered.
            guard sum <= quota || size <= old else { return false }
            try database.execute(
                sql: "INSERT OR REPLACE INTO value (plugin, key, bytes) VALUES (?, ?, ?)",
                arguments: [plugin, Self.blob(key), bytes.blob])
            try Self.set(database, plugin, sum)
            return true
        }
    }

    /// - Returns: whether there was one.
    func delete(_ key: String, of plugin: String) throws(HostError) -> Bool {
        try database.write { database in
            guard let count = try Self.count(database, key, plugin) else { return false }
            try database.execute(
                sql: "DELETE FROM value WHERE plugin = ? AND key = ?", arguments: [plugin, Self.blob(key)])
            try Self.set(database, plugin, try Self.sum(database, plugin) - Self.size(key, count))
            return true
        }
    }

    /// At most `limit` keys in the order of their bytes, and whether there are more.
    func list(
        prefix: String, after: String?, limit: Int, of plugin: String
    ) throws(HostError) -> (keys: [String], more: Bool) {
        let found = try database.read { database in
            let statement = Self.listing(prefix: prefix, after: after, limit: limit, of: plugin)
            return try Data.fetchAll(database, sql: statement.sql, arguments: statement.arguments)
        }
        return (found.prefix(limit).map { String(decoding: $0, as: UTF8.self) }, found.count > limit)
    }

    /// Reads only what it answers with, and one key more: both ends of the range are in the index.
    static func listing(
        prefix: String, after: String?, limit: Int, of plugin: String
    ) -> (sql: String, arguments: StatementArguments) {
        let start = Array(prefix.utf8)
        let last = after.map { Array($0.utf8) }.flatMap { $0.lexicographicallyPrecedes(start) ? nil : $0 }
        var range = "key \(last == nil ? ">=" : ">") ?"
        var arguments: StatementArguments = [plugin, (last ?? start).blob]
        if let end = Self.end(of: start) {
            range += " AND key < ?"
            arguments += [end.blob]
        }
        arguments += [limit + 1]
        return ("SELECT key FROM value WHERE plugin = ? AND \(range) ORDER BY key LIMIT ?", arguments)
    }

    /// The first of all bytes that come after those with this prefix; nil if there are none, as for an empty one.
    static func end(of prefix: [UInt8]) -> [UInt8]? {
        guard let place = prefix.lastIndex(where: { $0 < 0xFF }) else { return nil }
        return prefix[..<place] + [prefix[place] + 1]
    }

    /// The bytes of a value; nil if there is none.
    private static func count(_ database: GRDB.Database, _ key: String, _ plugin: String) throws -> Int? {
        try Int.fetchOne(
            database, sql: "SELECT length(bytes) FROM value WHERE plugin = ? AND key = ?",
            arguments: [plugin, blob(key)])
    }

    private static func size(_ key: String, _ count: Int) -> Int {
        key.utf8.count + count + HostLimits.keyOverheadBytes
    }

    /// What the plugin's keys and values count, kept beside them: to add them up costs more with each.
    private static func sum(_ database: GRDB.Database, _ plugin: String) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT bytes FROM value_sum WHERE plugin = ?", arguments: [plugin]) ?? 0
    }

    private static func set(_ database: GRDB.Database, _ plugin: String, _ sum: Int) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO value_sum (plugin, bytes) VALUES (?, ?)", arguments: [plugin, sum])
    }

    /// As bytes: SQLite compares text by rules of its own, and ends it at a zero.
    private static func blob(_ key: String) -> Data { Data(key.utf8) }
}
