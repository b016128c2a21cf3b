internal import FoundationEssentials
internal import GRDB
internal import PluginABI

/// A version that is stored and that nobody sees yet.
struct StagedVersion: Sendable {
    var plugin: InstalledPlugin
    /// As its author wrote it.
    var manifest: [UInt8]

    func write(to database: GRDB.Database) throws {
        try revokeWhatWasSealed(in: database)
        try database.execute(
            sql: """
                INSERT INTO plugin (name, manifest, digest, installed) VALUES (?, ?, ?, ?) ON CONFLICT (name)
                DO UPDATE SET manifest = excluded.manifest, digest = excluded.digest, installed = excluded.installed
                """,
            arguments: [plugin.name, manifest.blob, plugin.digest, plugin.installed])
        try Self.writeTools(plugin, to: database)
    }

    /// A value that was given so that the plugin never sees it is not handed over because a new version says so: an
    /// admin grants it first (`nexus secret grants`).
    private func revokeWhatWasSealed(in database: GRDB.Database) throws {
        let before = try Data.fetchOne(
            database, sql: "SELECT manifest FROM plugin WHERE name = ?", arguments: [plugin.name])
        guard let before, let manifest = try? PluginManifest(parsing: Array(before)) else { return }
        let sealed = Set(manifest.permissions.credentials.filter { $0.delivery == .sealed }.map(\.name))
        for use in plugin.manifest.permissions.credentials where use.delivery == .call && sealed.contains(use.name) {
            try database.execute(
                sql: "INSERT OR IGNORE INTO revoked_credential (plugin, name) VALUES (?, ?)",
                arguments: [plugin.name, use.name])
        }
    }

    fileprivate static func writeTools(_ plugin: InstalledPlugin, to database: GRDB.Database) throws {
        try database.execute(sql: "DELETE FROM tool WHERE plugin = ?", arguments: [plugin.name])
        for tool in plugin.manifest.tools {
            try database.execute(
                sql: "INSERT INTO tool (name, plugin) VALUES (?, ?)", arguments: [tool.name, plugin.name])
        }
    }
}

/// A version that is kept for as long as the one that followed it is on probation.
struct KeptVersion: Sendable {
    var plugin: InstalledPlugin
    /// What is left of the probation; 0 when it is over.
    var milliseconds: UInt64
}

/// Upgrades: the version before is kept until the new one has shown that it works, also over the host's end.
extension PluginCatalog {
    /// Shows a staged version to callers, and keeps the one before for so long.
    ///
    /// - Parameter now: Unix milliseconds.
    func switchTo(
        _ staged: StagedVersion, keepingMilliseconds: UInt64, now: UInt64 = Clock.unixMilliseconds()
    ) throws(HostError) {
        let name = staged.plugin.name
        try database.write { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO previous_version (plugin, manifest, digest, installed, since, milliseconds)
                        SELECT name, manifest, digest, installed, ?2, ?3 FROM plugin WHERE name = ?1
                    """,
                arguments: [name, Int64(clamping: now), Int64(clamping: keepingMilliseconds)])
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

    /// The versions that are kept. A clock that was set back in between makes no probation longer than it was.
    ///
    /// - Parameter now: Unix milliseconds.
    func kept(now: UInt64 = Clock.unixMilliseconds()) throws(HostError) -> [KeptVersion] {
        let rows = try database.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM previous_version ORDER BY plugin").map { row in
                (
                    name: row["plugin"] as String, manifest: row["manifest"] as Data, digest: row["digest"] as String,
                    installed: row["installed"] as String, since: UInt64(clamping: row["since"] as Int64),
                    whole: UInt64(clamping: row["milliseconds"] as Int64)
                )
            }
        }
        var kept: [KeptVersion] = []
        for row in rows {
            guard let manifest = try? PluginManifest(parsing: Array(row.manifest)) else { continue }
            let plugin = InstalledPlugin(
                manifest: manifest, digest: row.digest, installed: row.installed, endpoints: try endpoints(of: row.name)
            )
            let past = now - min(row.since, now)
            kept.append(KeptVersion(plugin: plugin, milliseconds: row.whole - min(row.whole, past)))
        }
        return kept
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
