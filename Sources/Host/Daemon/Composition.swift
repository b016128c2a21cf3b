// The one place that constructs everything. Order matters: nexus-jail is started while we may still be root, then root
// is given up, and only then is anything opened that an outsider could have written.
internal import AuditLog
internal import Confinement
internal import Foundation
internal import HostCore
internal import HostSurfaces
internal import JSONBytes
internal import Logging
internal import Registry
internal import Sandbox
internal import ServiceLifecycle
internal import UnixSignals

/// A host, put together.
struct Composition {
    struct Options {
        var home: Home
        var port: Int
        var account: String
        var helper: String
        var isBackground: Bool
        var showsPaths = false
        var keyDescriptor: Int32?
        var passphraseDescriptor: Int32?
        /// `$CREDENTIALS_DIRECTORY` (systemd.exec(5)).
        var credentials: String?
    }
    private let options: Options
    private let logger = Logger(label: "nexusd")
    private let starter: uid_t
    private let launcher: JailLauncher
    private let python: PythonRuntime?
    private let lock: HomeLock
    private let keySource: MasterKeySource

    /// What must happen on the process's first thread, before any other thread of ours does work: a thread that has
    /// ended, as the first one does once an async main runs, would keep root for ever.
    init(_ options: Options) throws {
        self.options = options
        let home = options.home
        starter = geteuid()
        keySource = try MasterKeySource.take(
            keyDescriptor: options.keyDescriptor, passphraseDescriptor: options.passphraseDescriptor,
            credentials: options.credentials)
        let service = try starter == 0 ? ServiceUser.find(options.account) : nil
        try service?.take(home)
        python = PythonRuntime.find()
        launcher = try Self.startLauncher(options.helper, mountRoots: python?.mountRoots ?? [])
        try service?.become()
        try ProcessProtection.apply()
        DescriptorLimit.raise()
        try home.prepare()
        lock = try HomeLock(home)
        if options.isBackground { try BackgroundLog.begin(home) }
    }

    func run() async throws {
        let home = options.home
        defer {
            unlink(home.socket)
            unlink(home.processFile)
            withExtendedLifetime(lock) {}
        }
        let file = try ConfigurationFile.read(home)
        let key = try LoadedMasterKey.load(keySource, home: home)
        if let warning = key.warning { logger.warning("\(warning)") }
        let database = try Database(path: home.database)
        let metrics = HostMetrics()
        metrics.bootstrap()
        let audit = try AuditLog(directory: home.audit, appended: { metrics.appended(after: $0) })
        let tokens = TokenStore(database: database)
        try FirstToken.ensure(in: home, user: Authenticator.userName(starter), tokens: tokens)
        let catalog = try PluginCatalog(database: database, store: try BundleStore(directory: home.store))
        let secrets = SecretStore(database: database, key: key, audit: audit)
        if let refusal = try secrets.check() { logger.error("\(refusal)") }
        let fetch = HTTPFetchService()
        let poller = try DescriptorPoller()
        let services = ServiceRouter(
            fetch: fetch, connect: NetConnectService(poller: poller),
            values: KeyValueService(store: KeyValueStore(database: database)), audit: audit, metrics: metrics)
        let incidents = IncidentRecorder(store: IncidentStore(database: database), audit: audit)
        let supervisor = Supervisor(
            catalog: catalog, audit: audit, launcher: launcher, python: python, poller: poller, services: services,
            incidents: incidents, restarts: try RestartControl(database: database), configuration: file.configuration,
            metrics: metrics, showsPaths: options.showsPaths)
        let authenticator = Authenticator(tokens: tokens, administrators: [0, geteuid(), starter])
        let pipeline = CallPipeline(
            authenticator: authenticator, catalog: catalog, policy: Policy(), secrets: secrets, audit: audit,
            supervisor: supervisor, metrics: metrics)

        let stop = StopSignal()
        let readiness = Readiness(jailsAsRoot: launcher.privileged)
        let requests = SecretRequests(secrets: secrets, audit: audit) {
            file.configuration.secretForm?.base ?? readiness.formURL
        }
        let admin = AdminAPI(
            authenticator: authenticator, catalog: catalog, supervisor: supervisor, pipeline: pipeline,
            secrets: secrets,
            tokens: tokens, audit: audit, incidents: incidents, metrics: metrics,
            facts: HostFacts(
                version: HostVersion.current, home: home.path, processID: getpid(), userID: geteuid(),
                launcherID: { [launcher] in launcher.processID }, jailsAsRoot: launcher.privileged,
                boundsProcessorTime: launcher.bounds.versions[.cpu] != nil, agentURL: { readiness.agentURL }),
            requests: requests,
            shutDown: { stop.send() })
        let mcp = MCPEndpoint(
            pipeline: pipeline, catalog: catalog, authenticator: authenticator, version: HostVersion.current,
            requests: requests)
        let server = HostServer(
            admin: admin, mcp: mcp, form: SecretForm(requests: requests), bodyLimit: PluginBundle.uploadLimit,
            label: "nexusd.http")
        try audit.append([
            ("kind", "host"), ("event", "started"), ("version", .string(HostVersion.current)),
            ("configuration", JSONValue(file.sha256)),
        ])
        try await supervisor.startWanted()
        let reload = HangupReload(supervisor: supervisor, home: home, stop: stop, logger: logger)
        try await serve(
            server, readiness: readiness, stop: stop, reload: reload, incidents: incidents,
            forms: try file.configuration.secretForm.flatMap { try server.forms($0) })
        await supervisor.shutDown()
        await fetch.shutDown()
        try secrets.writeUses()
        try audit.append([("kind", "host"), ("event", "stopped")])
    }

    private static func startLauncher(_ helper: String, mountRoots: [String]) throws -> JailLauncher {
        do {
            return try JailLauncher.start(helper: helper, mountRoots: mountRoots)
        } catch {
            throw HostError(.jailFailed, "\(error.message) (helper: \(helper)); `nexus doctor` says what is missing")
        }
    }

    private func serve(
        _ server: HostServer, readiness: Readiness, stop: StopSignal, reload: HangupReload, incidents: IncidentRecorder,
        forms: (any Service)?
    ) async throws {
        let home = options.home
        guard home.socket.utf8.count < 108 else {
            throw HostError(
                .storageFailed, "the socket's path \(home.socket) is longer than unix(7) allows; use a shorter --home")
        }
        // We hold the home's lock, so a socket that is there belongs to nobody.
        unlink(home.socket)
        let port = options.port
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: (forms.map { [.init(service: $0)] } ?? []) + [
                    .init(service: server.users(socket: home.socket) { readiness.usersReady() }),
                    .init(service: server.agents(port: port) { readiness.agentsReady(port: $0) }),
                    .init(service: reload),
                    .init(service: stop, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(
                        service: LauncherWatch(launcher: launcher, incidents: incidents, logger: logger),
                        successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "nexusd.services", factory: { _ in SwiftLogNoOpLogHandler() })))
        do {
            try await group.run()
        } catch {
            if "\(error)".contains("errno: \(EACCES)") {
                throw HostError(
                    .invalidRequest, "port \(port) is not for an ordinary user; choose one above 1023 with --port")
            }
            guard "\(error)".contains("errno: \(EADDRINUSE)") else { throw error }
            throw HostError(
                .addressInUse,
                "port \(port) on 127.0.0.1 is in use by \(PortOwner.describe(port: port)); stop that, "
                    + "or choose another with --port"
            )
        }
    }
}
