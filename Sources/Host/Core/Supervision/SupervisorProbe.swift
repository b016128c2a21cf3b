internal import AuditLog
internal import PluginABI
package import Registry
package import Sandbox

/// One plugin behind the real supervisor, with a database and an audit log of its own: what leases and spares cost,
/// without policy and credentials. Only for Tests/Bench, as `SessionProbe`.
package struct SupervisorProbe: Sendable {
    private let plugin: InstalledPlugin
    private let supervisor: Supervisor

    /// - Parameter folder: an empty directory for the home.
    package init(
        _ bundle: PluginBundle, folder: String, in launcher: JailLauncher, poller: DescriptorPoller
    ) throws {
        let home = Home(folder)
        let database = try Database(path: home.database)
        let audit = try AuditLog(directory: home.audit)
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: home.store))
        try catalog.install(bundle)
        plugin = try catalog.plugin(bundle.manifest.name)
        supervisor = Supervisor(
            catalog: catalog, audit: audit, launcher: launcher, poller: poller, services: SessionProbe.NoServices(),
            incidents: IncidentRecorder(store: IncidentStore(database: database), audit: audit),
            restarts: try RestartControl(database: database))
    }

    /// From the wish for a process until it is given back.
    package func call(
        _ tool: String, _ arguments: [UInt8]
    ) async throws(HostError) -> (json: [UInt8], bytes: [UInt8]) {
        let due = Clock.monotonicNanoseconds() + HostLimits.callMilliseconds * 1_000_000
        return try await supervisor.withInstance(
            of: plugin, for: Caller(actor: "bench", principal: "bench"), before: due
        ) { (instance) throws(HostError) in
            try await SessionProbe(plugin: plugin, instance: instance).call(tool, arguments)
        }
    }

    /// How many processes there are that nobody uses.
    package var ready: Int {
        get async { await supervisor.ledger().count { $0.state == "ready" } }
    }

    package func stop() async throws { try await supervisor.stop(plugin.name) }
}
