internal import GRDB
internal import PluginABI

/// A version that is stored and that nobody sees yet.
struct StagedVersion: Sendable {
    var plugin: InstalledPlugin
    /// As its author wrote it.
    var manifest: [UInt8]

    func write(to database: GRDB.Database) throws {
        try database.execute(
            sql: """
                INSERT INTO plugin (name, manifest, digest, installed) VALUES (?, ?, ?, ?) ON CONFLICT (name)
                DO UPDATE SET manifest = excluded.manifest, digest = excluded.digest, installed = excluded.installed
                """,
            arguments: [plugin.name, manifest.blob, plugin.digest, plugin.installed])
        try Self.writeTools(plugin, to: database)
    }

    fileprivate static func writeTools(_ plugin: InstalledPlugin, to database: GRDB.Database) throws {
        try database.execute(sql: "DELETE FROM tool WHERE plugin = ?", arguments: [plugin.name])
        for tool in plugin.manifest.tools {
            try database.execute(
                sql: "INSERT INTO tool (name, plugin) VALUES (?, ?)", arguments: [tool.name, plugin.name])
        }
    }
}

/// Upgrades: the version before is kept until the new one has shown that it works. A restart of the host ends that
/// time.
extension PluginCatalog {
    /// Shows a staged version to callers, and keeps the one before.
    func switchTo(_ staged: StagedVersion) throws(HostError) {
        let name = staged.plugin.name
        try database.write { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO previous_version (plugin, manifest, digest, installed)
                        SELECT name, manifest, digest, installed FROM plugin WHERE name = ?
                    """,
                arguments: [name])
            try staged.write(to: database)
        }
        try reload()
    }

    /// Shows the version before again, and forgets the other.
    ///
    /// - Throws: `unknownPlugin` if none was kept.
    func switchBack(from new: InstalledPlugin, to old: InstalledPlugin) throws(HostError) {
        let isKept = try database.write { database in
            try database.execute(
                sql: """
                    UPDATE plugin SET (manifest, digest, installed) =
                        (SELECT manifest, digest, installed FROM previous_version WHERE plugin = name)
                    WHERE name = ? AND EXISTS (SELECT 1 FROM previous_version WHERE plugin = name AND digest = ?)
                    """,
                arguments: [new.name, old.digest])
            guard database.changesCount > 0 else { return false }
            try StagedVersion.writeTools(old, to: database)
            try database.execute(sql: "DELETE FROM previous_version WHERE plugin = ?", arguments: [new.name])
            return true
        }
        guard isKept else { throw HostError(.unknownPlugin, "no earlier version of \(new.name) is kept") }
        try reload()
        dropExecutable(new.digest)
    }

    /// Forgets the version before.
    func settle(_ name: String) throws(HostError) {
        let digest = try database.write { database in
            let digest = try String.fetchOne(
                database, sql: "SELECT digest FROM previous_version WHERE plugin = ?", arguments: [name])
            try database.execute(sql: "DELETE FROM previous_version WHERE plugin = ?", arguments: [name])
            return digest
        }
        if let digest { dropExecutable(digest) }
    }

    func settleAll() throws(HostError) {
        let names = try database.read { try String.fetchAll($0, sql: "SELECT plugin FROM previous_version") }
        for name in names { try settle(name) }
    }

    /// A store that cannot be asked keeps what it has.
    func previousHas(_ digest: String) -> Bool {
        let count = try? database.read { database in
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM previous_version WHERE digest = ?", arguments: [digest])
        }
        return count != 0
    }
}
