public import AuditLog
public import Confinement
public import JSONBytes
internal import Logging
internal import PluginABI
public import Sandbox
internal import Synchronization

/// Starts plugins when they are needed, hands out their running instance, and records how each ends.
public actor Supervisor {
    private let catalog: PluginCatalog
    private let audit: AuditLog
    private let launcher: JailLauncher
    private let python: PythonRuntime?
    private let poller: DescriptorPoller
    private let services: any HostServices
    private let metrics: HostMetrics
    private let logger = Logger(label: "nexus.supervisor")
    private var starting: [String: Task<Result<PluginInstance, HostError>, Never>] = [:]
    private var running: [String: PluginInstance] = [:]
    private var logs: [String: PluginLog] = [:]
    /// What was verified once and is executed at every start of that version, by plugin.
    private var programs: [String: (digest: String, program: SealedProgram)] = [:]
    private var causes: [String: String] = [:]
    private var count = 0
    private var isShutDown = false

    public init(
        catalog: PluginCatalog, audit: AuditLog, launcher: JailLauncher, python: PythonRuntime? = nil,
        poller: DescriptorPoller, services: any HostServices, metrics: HostMetrics = HostMetrics()
    ) {
        self.catalog = catalog
        self.audit = audit
        self.launcher = launcher
        self.python = python
        self.poller = poller
        self.services = services
        self.metrics = metrics
    }

    /// How a plugin is doing, for people.
    public struct Status: Sendable, Equatable {
        /// `running`, `starting`, `stopped` or `failed`.
        public var state: String
        public var instance: String?
        /// The jail's layers as the launcher reported them: an array of `{"layer", "state", "detail"}`.
        public var layers: JSONValue?
        /// Why the last instance ended, if it ended badly.
        public var cause: String?
        public var lateFrames: Int
        public var recentLog: [String]
    }

    public func status(of name: String) -> Status {
        let instance = running[name]
        let state =
            instance != nil
            ? "running" : starting[name] != nil ? "starting" : causes[name] != nil ? "failed" : "stopped"
        return Status(
            state: state, instance: instance?.id, layers: instance?.report.json, cause: causes[name],
            lateFrames: instance?.session.lateFrames ?? 0, recentLog: logs[name]?.recent(20) ?? [])
    }

    /// The instances that run, sorted by plugin.
    public func ledger() -> [InstanceEntry] {
        running.sorted { $0.key < $1.key }.map { name, instance in
            let served = instance.meter.value.calls
            return InstanceEntry(
                plugin: name, version: instance.plugin.manifest.version, instance: instance.id, servedFor: nil,
                state: "running", processID: instance.processID, callsOpen: 0, callsServed: served,
                started: instance.meter.started, lastUsed: instance.meter.started, memoryLimitBytes: nil)
        }
    }

    /// Lines with higher numbers than `after`, oldest first.
    public func log(of name: String, after: Int) -> [PluginLog.Line] {
        logs[name]?.lines(after: after, limit: HostLimits.logLinesPerAnswer) ?? []
    }

    /// The running instance; started if there is none. Callers who come while it starts wait for the same start.
    func instance(of plugin: InstalledPlugin) async throws(HostError) -> PluginInstance {
        let name = plugin.name
        guard !isShutDown else { throw HostError(.pluginFailed, "nexusd is stopping", retryable: true) }
        // One whose end has not been reported here yet is no use to a new caller.
        if let instance = running[name] {
            if let cause = instance.cause {
                ended(name, id: instance.id, cause: cause)
            } else if instance.plugin.digest == plugin.digest {
                return instance
            } else {
                await retire(name)
            }
        }
        let task: Task<Result<PluginInstance, HostError>, Never>
        if let started = starting[name] {
            task = started
        } else {
            count += 1
            let id = "\(name)#\(count)"
            let fresh = Task { await self.launch(plugin, id: id) }
            starting[name] = fresh
            task = fresh
        }
        switch await task.value {
        case .success(let instance): return instance
        case .failure(let error): throw error
        }
    }

    public func start(_ name: String) async throws(HostError) { _ = try await instance(of: try catalog.plugin(name)) }

    /// Stops a plugin if it runs; waits for its drain.
    public func stop(_ name: String) async throws(HostError) {
        _ = try catalog.plugin(name)
        await retire(name)
    }

    /// The same for a name that may be in the catalog no more: call it after a plugin was replaced or removed, so that
    /// no call in between brings the old one back.
    public func retire(_ name: String) async {
        _ = await starting[name]?.value
        programs[name] = nil
        guard let instance = running.removeValue(forKey: name) else { return }
        causes[name] = nil
        await instance.stop()
        _ = try? audit.append([
            ("kind", "plugin"), ("event", "stopped"), ("plugin", .string(name)), ("instance", .string(instance.id)),
        ])
    }

    /// Stops everything and refuses to start anything more.
    public func shutDown() async {
        isShutDown = true
        for task in starting.values { _ = await task.value }
        let instances = Array(running.values)
        running = [:]
        await withTaskGroup(of: Void.self) { group in
            for instance in instances { group.addTask { await instance.stop() } }
        }
        launcher.close()
    }

    private func launch(_ plugin: InstalledPlugin, id: String) async -> Result<PluginInstance, HostError> {
        defer { starting[plugin.name] = nil }
        let log = log(of: plugin.name)
        do throws(HostError) {
            let instance = try await PluginInstance.start(
                plugin, id: id, executable: try program(of: plugin),
                in: PluginInstance.Environment(
                    launcher: launcher, python: python, poller: poller, services: services, log: log,
                    denied: Self.recording(to: audit), metrics: metrics,
                    ended: { [weak self] id, cause in Task { await self?.ended(plugin.name, id: id, cause: cause) } }))
            // The layers go on record before the first call is made.
            do {
                try audit.append([
                    ("kind", "plugin"), ("event", "started"), ("plugin", .string(plugin.name)),
                    ("instance", .string(id)),
                    ("version", .string(plugin.manifest.version)), ("digest", .string("sha256:" + plugin.digest)),
                    ("layers", instance.report.json),
                ])
            } catch {
                let cause = HostError(.auditFailed, error.message, retryable: true)
                instance.kill(cause: cause)
                throw cause
            }
            guard (try? catalog.plugin(plugin.name).digest) == plugin.digest else {
                let cause = HostError(
                    .pluginFailed, "the plugin \(plugin.name) was replaced or removed", retryable: true)
                instance.kill(cause: cause)
                throw cause
            }
            causes[plugin.name] = nil
            running[plugin.name] = instance
            // Its end may have been told before it was known here; then nobody will tell again.
            if let cause = instance.cause {
                running[plugin.name] = nil
                throw cause
            }
            return .success(instance)
        } catch {
            record(plugin.name, id: id, cause: error)
            return .failure(error)
        }
    }

    private func program(of plugin: InstalledPlugin) throws(HostError) -> SealedProgram {
        if let kept = programs[plugin.name], kept.digest == plugin.digest { return kept.program }
        do {
            let program = try SealedProgram(try catalog.executable(of: plugin), name: plugin.name)
            programs[plugin.name] = (plugin.digest, program)
            return program
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.jailFailed, "the plugin \(plugin.name) was not started: \(error)")
        }
    }

    /// For one instance; what belongs to no call has a bound of its own.
    private static func recording(to audit: AuditLog) -> @Sendable (Denial, CallContext?) -> Void {
        let others = DenialCounter()
        return { denial, context in
            denial.record(to: audit, in: context, counter: context?.denials ?? others)
        }
    }

    private func ended(_ name: String, id: String, cause: HostError) {
        guard running[name]?.id == id else { return }
        running[name] = nil
        record(name, id: id, cause: cause)
    }

    private func record(_ name: String, id: String, cause: HostError) {
        causes[name] = cause.message
        logger.warning(
            "plugin failed", metadata: ["plugin": "\(name)", "instance": "\(id)", "cause": "\(cause.message)"])
        _ = try? audit.append([
            ("kind", "plugin"), ("event", "failed"), ("plugin", .string(name)), ("instance", .string(id)),
            ("code", .string(cause.code.rawValue)), ("cause", .string(cause.message)),
        ])
    }

    private func log(of name: String) -> PluginLog {
        if let log = logs[name] { return log }
        let logger = Logger(label: "nexus.plugin.\(name)")
        let log = PluginLog { line in
            logger.info("\(line.text)", metadata: line.request.map { ["request": "\($0)"] })
        }
        logs[name] = log
        return log
    }
}
