internal import AuditLog
internal import Confinement
internal import Glibc
internal import JSONBytes
internal import Logging
internal import PluginABI
internal import Sandbox
internal import Synchronization

/// Starts plugin processes and puts their beginnings and ends on record. What it does takes time, hence outside the
/// supervisor's actor.
final class InstanceStarter: Sendable {
    private let catalog: PluginCatalog
    private let audit: AuditLog
    private let launcher: JailLauncher
    private let python: PythonRuntime?
    private let poller: DescriptorPoller
    private let services: any HostServices
    private let incidents: IncidentRecorder
    private let metrics: HostMetrics
    private let showsPaths: Bool
    private let logs = Mutex<[String: PluginLog]>([:])
    /// What was verified once and is executed at every start, by digest.
    private let programs = Mutex<[String: SealedProgram]>([:])

    init(
        catalog: PluginCatalog, audit: AuditLog, launcher: JailLauncher, python: PythonRuntime?,
        poller: DescriptorPoller, services: any HostServices, incidents: IncidentRecorder,
        metrics: HostMetrics, showsPaths: Bool
    ) {
        self.showsPaths = showsPaths && (!launcher.privileged || geteuid() == 0)
        self.catalog = catalog
        self.audit = audit
        self.launcher = launcher
        self.python = python
        self.poller = poller
        self.services = services
        self.incidents = incidents
        self.metrics = metrics
    }

    /// How a process is called in logs.
    func id(_ plugin: InstalledPlugin, _ member: Int) -> String { "\(plugin.name)#\(member)" }

    /// Starts one and takes it to `running`; its layers are on record then.
    func start(
        _ plugin: InstalledPlugin, member: Int, ended: @escaping @Sendable (HostError) -> Void
    ) async -> Result<PluginInstance, HostError> {
        do throws(HostError) {
            let instance = try await PluginInstance.start(
                plugin, id: id(plugin, member), executable: try program(of: plugin),
                in: PluginInstance.Environment(
                    launcher: launcher, python: python, poller: poller, services: services, log: log(of: plugin.name),
                    showsPaths: showsPaths, denied: Self.recording(to: audit),
                    left: { [incidents] in incidents.left($0, $1) }, metrics: metrics,
                    ended: { _, cause in ended(cause) }))
            try recordStart(instance)
            // Its end may have been told before it was known to the supervisor; then nobody will tell again.
            if let cause = instance.cause { throw cause }
            return .success(instance)
        } catch {
            return .failure(error)
        }
    }

    private func program(of plugin: InstalledPlugin) throws(HostError) -> SealedProgram {
        if let kept = programs.withLock({ $0[plugin.digest] }) { return kept }
        do {
            let program = try SealedProgram(try catalog.executable(of: plugin), name: plugin.name)
            programs.withLock { $0[plugin.digest] = program }
            return program
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.jailFailed, "the plugin \(plugin.name) was not started: \(error)")
        }
    }

    /// A stopped plugin holds no memory.
    func forget(_ plugin: InstalledPlugin) { programs.withLock { $0[plugin.digest] = nil } }

    func log(of name: String) -> PluginLog {
        logs.withLock { logs in
            if let log = logs[name] { return log }
            let logger = Logger(label: "nexus.plugin.\(name)")
            let log = PluginLog { line in
                logger.info("\(line.text)", metadata: line.request.map { ["request": "\($0)"] })
            }
            logs[name] = log
            return log
        }
    }

    // MARK: the record

    /// For one instance; what belongs to no call has a bound of its own.
    private static func recording(to audit: AuditLog) -> @Sendable (Denial, CallContext?) -> Void {
        let others = DenialCounter()
        return { denial, context in
            denial.record(to: audit, in: context, counter: context?.denials ?? others)
        }
    }

    private func recordStart(_ instance: PluginInstance) throws(HostError) {
        do {
            try audit.append([
                ("kind", "plugin"), ("event", "started"), ("plugin", .string(instance.plugin.name)),
                ("instance", .string(instance.id)),
                ("version", .string(instance.plugin.manifest.version)),
                ("digest", .string("sha256:" + instance.plugin.digest)), ("layers", instance.report.json),
            ])
        } catch {
            let cause = HostError(.auditFailed, error.message, retryable: true)
            instance.kill(cause: cause)
            throw cause
        }
    }

    func recordStop(_ instance: PluginInstance) {
        append("stopped", instance.plugin.name, [("instance", .string(instance.id))])
    }

    func recordFailure(_ plugin: InstalledPlugin, id: String, cause: HostError) -> IncidentRecorder.Death {
        incidents.failed(plugin, id, cause)
    }

    /// Writes what could not be written before.
    func flushRecords() { incidents.flush() }

    func recordConfiguration(
        _ change: ConfigurationChange, sha256: String?, by actor: String
    ) throws(HostError) {
        do {
            try audit.append([
                ("kind", "admin"), ("event", "configuration"), ("actor", .string(actor)),
                ("changed", JSONValue(change.changed)), ("budgetChanged", .bool(change.budgetChanged)),
                ("sha256", JSONValue(sha256)),
            ])
        } catch {
            throw HostError(.auditFailed, error.message, retryable: true)
        }
    }

    /// What happened to a plugin anyway is not undone by a log that cannot be written: it is written later.
    func append(_ event: String, _ plugin: String, _ members: [(String, JSONValue)]) {
        incidents.tell([("kind", "plugin"), ("event", .string(event)), ("plugin", .string(plugin))] + members)
    }
}
