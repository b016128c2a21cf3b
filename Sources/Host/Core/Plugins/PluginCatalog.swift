internal import AuditLog
internal import FoundationEssentials
internal import GRDB
public import PluginABI
public import Registry
internal import Synchronization

/// What is installed: rows in the database, executables in the store, and a copy in memory that every call reads.
public final class PluginCatalog: Sendable {
    let database: Database
    private let store: BundleStore
    private let plugins: Mutex<[String: InstalledPlugin]>
    private let reloading = Mutex(())
    private let changes = ToolChanges()

    public init(database: Database, store: BundleStore) throws(HostError) {
        self.database = database
        self.store = store
        plugins = Mutex([:])
        try reload()
    }

    public func list() -> [InstalledPlugin] {
        plugins.withLock { $0.values.sorted { $0.name < $1.name } }
    }

    /// An element for every change of what agents are offered, from now on; see `ToolChanges`.
    public func toolChanges() -> AsyncStream<Void> { changes.stream() }

    /// - Throws: `unknownPlugin`.
    public func plugin(_ name: String) throws(HostError) -> InstalledPlugin {
        guard let plugin = plugins.withLock({ $0[name] }) else {
            throw HostError(.unknownPlugin, "no plugin is called \"\(name.cut(to: 80))\"; see `nexus plugin list`")
        }
        return plugin
    }

    /// The plugin that has a tool, and the tool.
    ///
    /// - Throws: `unknownTool`.
    public func tool(_ name: String) throws(HostError) -> (plugin: InstalledPlugin, tool: PluginManifest.Tool) {
        for plugin in list() {
            if let tool = plugin.manifest.tools.first(where: { $0.name == name }) { return (plugin, tool) }
        }
        throw HostError(.unknownTool, "no tool is called \"\(name.cut(to: 80))\"; see `nexus tool list`")
    }

    /// Stores a bundle; an installed plugin of the same name is replaced at once.
    ///
    /// - Throws: as `stage`.
    public func install(_ bundle: PluginBundle) throws(HostError) {
        let staged = try stage(bundle)
        let previous = plugins.withLock { $0[staged.plugin.name]?.digest }
        try database.write { database in try staged.write(to: database) }
        try reload()
        try settle(staged.plugin.name)
        if let previous { dropExecutable(previous) }
    }

    /// Stores a bundle's executable and nothing else: who calls the plugin does not see the new version yet.
    ///
    /// - Throws: `conflict` if another plugin has one of its tools' names, `unsupported` if it asks for what this host
    ///   cannot enforce: nothing is granted in part.
    func stage(_ bundle: PluginBundle) throws(HostError) -> StagedVersion {
        let manifest = bundle.manifest
        let unsupported = manifest.unsupported(by: .nexus)
        guard unsupported.isEmpty else {
            let list = unsupported.map(\.description).joined(separator: "; ")
            throw HostError(.unsupported, "\(manifest.name) cannot be installed here: \(list)")
        }
        for tool in manifest.tools {
            if let (owner, _) = try? self.tool(tool.name), owner.name != manifest.name {
                throw HostError(
                    .conflict,
                    "the tool \"\(tool.name)\" belongs to the plugin \(owner.name) already; remove that first")
            }
        }
        do {
            try store.save(bundle)
        } catch {
            throw HostError(.storageFailed, error.message)
        }
        return StagedVersion(
            plugin: InstalledPlugin(
                manifest: manifest, digest: bundle.executableDigest, installed: AuditClock.now(),
                endpoints: try endpoints(of: manifest.name), choices: try choices(of: manifest.name)),
            manifest: bundle.manifestBytes)
    }

    /// Its secrets are not the catalog's: `SecretStore.removeAll` goes before.
    public func remove(_ name: String) throws(HostError) {
        let plugin = try plugin(name)
        try settle(name)
        try database.write { database in
            try database.execute(sql: "DELETE FROM plugin WHERE name = ?", arguments: [name])
        }
        try reload()
        dropExecutable(plugin.digest)
    }

    /// Leads a declared endpoint elsewhere, or back with nil.
    ///
    /// - Throws: `invalidRequest` if the plugin declares no such endpoint.
    public func setEndpoint(_ endpoint: String, of name: String, to override: EndpointOverride?) throws(HostError) {
        let plugin = try plugin(name)
        let permissions = plugin.manifest.permissions
        guard
            permissions.httpFetch.contains(where: { $0.endpoint == endpoint })
                || permissions.netConnect.contains(where: { "\($0.host):\($0.port)" == endpoint })
        else {
            throw HostError(
                .invalidRequest, "\(name) declares no endpoint \"\(endpoint)\"; see `nexus plugin info \(name)`")
        }
        try database.write { database in
            try database.execute(
                sql: "DELETE FROM endpoint WHERE plugin = ? AND name = ?", arguments: [name, endpoint])
            guard let override else { return }
            try database.execute(
                sql: "INSERT INTO endpoint (plugin, name, origin, authority, loopback) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    name, endpoint, override.origin.description, override.authority, override.weakeningLoopback ? 1 : 0,
                ])
        }
        try reload()
    }

    /// The executable's bytes, checked against the digest that was installed.
    func executable(of plugin: InstalledPlugin) throws(HostError) -> [UInt8] {
        do {
            return try store.executable(digest: plugin.digest)
        } catch {
            throw HostError(.pluginFailed, error.message)
        }
    }

    /// Removes what neither a plugin nor the previous version of one needs.
    func dropExecutable(_ digest: String) {
        let isKept = plugins.withLock { $0.values.contains { $0.digest == digest } } || previousHas(digest)
        if !isKept { store.remove(digest: digest) }
    }

    /// Reads and shows the database as one step: of two changes at once, the later picture must not be the older one.
    func reload() throws(HostError) {
        try reloading.withLock { (_) throws(HostError) in try load() }
    }

    private func load() throws(HostError) {
        let rows = try database.read { database in
            try Row.fetchAll(database, sql: "SELECT name, manifest, digest, installed FROM plugin").map {
                (
                    name: $0["name"] as String, manifest: $0["manifest"] as Data, digest: $0["digest"] as String,
                    installed: $0["installed"] as String
                )
            }
        }
        var fresh: [String: InstalledPlugin] = [:]
        for row in rows {
            do {
                fresh[row.name] = InstalledPlugin(
                    manifest: try PluginManifest(parsing: Array(row.manifest)), digest: row.digest,
                    installed: row.installed, endpoints: try endpoints(of: row.name),
                    choices: try choices(of: row.name))
            } catch let error as ManifestError {
                throw HostError(.storageFailed, "the stored manifest of \(row.name) cannot be read: \(error)")
            } catch {
                throw (error as? HostError) ?? HostError(.storageFailed, "\(error)")
            }
        }
        let before = plugins.withLock { plugins in
            defer { plugins = fresh }
            return plugins
        }
        if before.mapValues(\.manifest.tools) != fresh.mapValues(\.manifest.tools) { changes.announce() }
    }

    func endpoints(of name: String) throws(HostError) -> [String: EndpointOverride] {
        let rows = try database.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM endpoint WHERE plugin = ?", arguments: [name]).map {
                (
                    name: $0["name"] as String, origin: $0["origin"] as String, authority: $0["authority"] as String?,
                    loopback: $0["loopback"] as Bool
                )
            }
        }
        var overrides: [String: EndpointOverride] = [:]
        for row in rows {
            guard let origin = Origin(row.origin) else { continue }
            overrides[row.name] = EndpointOverride(
                origin: origin, authority: row.authority, weakeningLoopback: row.loopback)
        }
        return overrides
    }
}
