public import AuditLog
public import Confinement
internal import PluginABI
public import Sandbox

/// Keeps the processes of all plugins: performs what `FleetBook` decides, hands out leases, and records how each
/// process ends. docs/SUPERVISOR.md tells the rules.
public actor Supervisor {
    let catalog: PluginCatalog
    let starter: InstanceStarter
    let restarts: RestartControl
    private let launcher: JailLauncher
    var book: FleetBook
    /// The processes that have started, by their number in the book.
    private(set) var instances: [Int: PluginInstance] = [:]
    private var waiting: [UInt64: CheckedContinuation<Result<Lease, HostError>, Never>] = [:]
    private var timers: [UInt64: Task<Void, any Error>] = [:]
    /// Who waits for a process to be started, and for one to be gone.
    private var awaitingStart: [Int: [CheckedContinuation<Result<PluginInstance, HostError>, Never>]] = [:]
    private var awaitingEnd: [Int: [CheckedContinuation<Void, Never>]] = [:]
    private var ticketCount: UInt64 = 0
    private var isShutDown = false
    private var idleCheck: Task<Void, Never>?
    /// Plugins that an admin started and that wait for room in the budget.
    private var withoutRoom: Set<String> = []
    /// Upgrades that may still be taken back, by plugin.
    var probations: [String: Probation] = [:]
    var upgrading: Set<String> = []

    /// - Parameter showsPaths: tell of paths that plugins ask for and do not have. Slow, for development; it takes
    ///   access to their memory, which a host that gave up root does not have.
    public init(
        catalog: PluginCatalog, audit: AuditLog, launcher: JailLauncher, python: PythonRuntime? = nil,
        poller: DescriptorPoller, services: any HostServices, incidents: IncidentRecorder,
        restarts: RestartControl, configuration: HostConfiguration = .standard,
        metrics: HostMetrics = HostMetrics(), showsPaths: Bool = false
    ) {
        self.catalog = catalog
        self.restarts = restarts
        self.launcher = launcher
        book = FleetBook(configuration)
        starter = InstanceStarter(
            catalog: catalog, audit: audit, launcher: launcher, python: python, poller: poller, services: services,
            incidents: incidents, metrics: metrics, showsPaths: showsPaths)
    }

    deinit { idleCheck?.cancel() }

    /// The use of one process by one call.
    struct Lease: Sendable {
        var ticket: UInt64
        var member: Int
        var instance: PluginInstance
    }

    // MARK: leases

    /// Runs a call in a process that serves its caller, once there is one; it is in use until `body` has returned.
    ///
    /// - Parameter due: when the call ends, CLOCK_MONOTONIC in nanoseconds; waiting counts.
    /// - Throws: `unavailable` when too many wait or the host's budget is used up, `deadlineExceeded`, `cancelled`, or
    ///   why the plugin could not be started; `body` has not run then. And what `body` throws.
    nonisolated func withInstance<Value: Sendable>(
        of plugin: InstalledPlugin, for caller: Caller, before due: UInt64,
        _ body: (PluginInstance) async throws(HostError) -> Value
    ) async throws(HostError) -> Value {
        let lease = try await lease(plugin, for: caller.principal, before: due)
        do throws(HostError) {
            let value = try await body(lease.instance)
            await end(lease)
            return value
        } catch {
            await end(lease)
            throw error
        }
    }

    private func lease(
        _ plugin: InstalledPlugin, for principal: String, before due: UInt64
    ) async throws(HostError) -> Lease {
        var attempts = 0
        while true {
            let lease = try await wait(plugin, for: principal, before: due).get()
            attempts += 1
            // One whose end has not been reported here yet is no use to a new caller.
            guard let cause = lease.instance.cause, attempts < 3 else { return lease }
            ended(lease.member, cause: cause)
            end(lease)
        }
    }

    private func wait(
        _ plugin: InstalledPlugin, for principal: String, before due: UInt64
    ) async -> Result<Lease, HostError> {
        guard !isShutDown else { return .failure(Self.stopping) }
        guard book.serves(plugin) || isInstalled(plugin) else { return .failure(.replaced(plugin.name)) }
        if let refusal = restarts.refusal(of: plugin.name, for: principal), isInstalled(plugin) {
            return .failure(refusal)
        }
        ticketCount += 1
        let ticket = ticketCount
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting[ticket] = continuation
                perform(book.want(ticket, plugin, for: principal, now: Clock.monotonicMilliseconds()))
                guard waiting[ticket] != nil else { return }
                timers[ticket] = Task { [weak self] in
                    try await Task.sleep(for: .milliseconds(Clock.millisecondsLeft(until: due)))
                    await self?.withdraw(ticket, .busyUntilTheDeadline(plugin.name))
                }
                if Task.isCancelled { withdraw(ticket, .cancelledByCaller) }
            }
        } onCancel: {
            Task { await self.withdraw(ticket, .cancelledByCaller) }
        }
    }

    func isInstalled(_ plugin: InstalledPlugin) -> Bool {
        (try? catalog.plugin(plugin.name))?.isSameVersion(as: plugin) == true
    }

    private func withdraw(_ ticket: UInt64, _ error: HostError) {
        if book.withdraw(ticket) { answer(ticket, .failure(error)) }
    }

    private func answer(_ ticket: UInt64, _ result: Result<Lease, HostError>) {
        timers.removeValue(forKey: ticket)?.cancel()
        waiting.removeValue(forKey: ticket)?.resume(returning: result)
    }

    private func end(_ lease: Lease) {
        perform(book.endLease(lease.ticket, now: Clock.monotonicMilliseconds()))
    }

    // MARK: processes

    func perform(_ actions: [FleetBook.Action]) {
        for action in actions {
            switch action {
            case .start(let member, let plugin):
                checkForIdle()
                Task { await launch(member, plugin) }
            case .grant(let ticket, let member):
                guard let instance = instances[member] else { break }
                answer(ticket, .success(Lease(ticket: ticket, member: member, instance: instance)))
            case .refuse(let ticket, let error): answer(ticket, .failure(error))
            case .stop(let member): Task { await stop(member) }
            case .destroy(let member): Task { await destroy(member) }
            }
        }
    }

    private func launch(_ member: Int, _ plugin: InstalledPlugin) async {
        // What one version did says nothing of another.
        let refusal = book.isCurrent(member) ? restarts.refusal(of: plugin.name) : nil
        var result = Result<PluginInstance, HostError>.failure(refusal ?? Self.stopping)
        if refusal == nil {
            result = await starter.start(plugin, member: member) { [weak self] cause in
                Task { await self?.ended(member, cause: cause) }
            }
        }
        let now = Clock.monotonicMilliseconds()
        switch result {
        case .success(let instance):
            instances[member] = instance
            if book.isCurrent(member) { restarts.runs(plugin.name) }
            perform(book.started(member, now: now))
        case .failure(let error):
            let isNews = book.isCurrent(member)
            let death =
                refusal == nil
                ? record(plugin, id: starter.id(plugin, member), cause: error, hasRun: false, isNews: isNews) : nil
            perform(book.failed(member, error, now: now))
            if let death { rollBackIfOnProbation(plugin, error, incident: death.incident) }
            for waiter in awaitingEnd.removeValue(forKey: member) ?? [] { waiter.resume() }
        }
        for waiter in awaitingStart.removeValue(forKey: member) ?? [] { waiter.resume(returning: result) }
    }

    private func stop(_ member: Int) async {
        guard let instance = instances[member] else { return }
        await instance.stop()
        starter.recordStop(instance)
        left(member)
        guard book.members(of: instance.plugin.name).isEmpty else { return }
        starter.forget(instance.plugin)
        // What runs when the host ends says so to the next one.
        if !isShutDown { restarts.stops(instance.plugin.name, "nobody used it") }
    }

    private func destroy(_ member: Int) async {
        await instances[member]?.destroy()
        left(member)
    }

    /// Its process is gone, as was meant.
    private func left(_ member: Int) {
        instances[member] = nil
        perform(book.ended(member, now: Clock.monotonicMilliseconds()).actions)
        for waiter in awaitingEnd.removeValue(forKey: member) ?? [] { waiter.resume() }
    }

    /// A process's conversation is over. That of one that is about to go anyway is no failure.
    func ended(_ member: Int, cause: HostError) {
        guard let instance = instances[member], book.isServing(member) else { return }
        instances[member] = nil
        let isNews = book.isCurrent(member)
        let principal = book.principal(of: member)
        let death = record(
            instance.plugin, id: instance.id, cause: cause, hasRun: true, isNews: isNews, for: principal)
        perform(book.ended(member, now: Clock.monotonicMilliseconds()).actions)
        for waiter in awaitingEnd.removeValue(forKey: member) ?? [] { waiter.resume() }
        guard let death else { return }
        // One user who makes it fail takes it from nobody whom it serves.
        if let principal, restarts.failingPrincipals(of: instance.plugin.name) < 2,
            book.answersOthers(than: principal, instance.plugin)
        {
            return
        }
        rollBackIfOnProbation(instance.plugin, cause, incident: death.incident)
    }

    /// - Parameter isNews: false for a version that new callers do not get: it is no reason to hold back another one.
    /// - Returns: what is on record of it; nil where it was no fault of the plugin's.
    private func record(
        _ plugin: InstalledPlugin, id: String, cause: HostError, hasRun: Bool, isNews: Bool,
        for principal: String? = nil
    ) -> IncidentRecorder.Death? {
        // Without a log no plugin is started; that is an incident of the host's disk and of no plugin.
        let death = cause.code == .auditFailed ? .init() : starter.recordFailure(plugin, id: id, cause: cause)
        if isNews {
            let ran = hasRun ? death.remains?.uptimeMilliseconds ?? 0 : 0
            let verdict = restarts.failed(plugin.name, cause, ran: ran, remains: death.remains, for: principal)
            if case .restart(let wait) = verdict, restarts.isWanted(plugin.name) {
                startAgain(plugin.name, after: wait)
            }
        }
        return RestartControl.counts(cause, death.remains) ? death : nil
    }

    private func startAgain(_ name: String, after milliseconds: UInt64) {
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(milliseconds))
            await self?.startIfWanted(name)
        }
    }

    /// A start that fails is recorded as any other, and tried again as the policy says. One for which the budget has no
    /// room is tried again every second.
    func startIfWanted(_ name: String) {
        withoutRoom.remove(name)
        guard !isShutDown, restarts.isWanted(name), let plugin = try? catalog.plugin(name) else { return }
        let (member, actions) = book.startSpare(plugin, now: Clock.monotonicMilliseconds())
        perform(actions)
        if member == nil { waitForRoom(name) }
    }

    private func waitForRoom(_ name: String) {
        withoutRoom.insert(name)
        checkForIdle()
    }

    /// Until the process has started or could not be started.
    func started(_ member: Int) async -> Result<PluginInstance, HostError> {
        if let instance = instances[member] { return .success(instance) }
        guard book.isKnown(member) else { return .failure(Self.stopping) }
        return await withCheckedContinuation { awaitingStart[member, default: []].append($0) }
    }

    private func gone(_ members: [Int]) async {
        for member in members where book.isKnown(member) {
            await withCheckedContinuation { awaitingEnd[member, default: []].append($0) }
        }
    }

    private func checkForIdle() {
        guard idleCheck == nil else { return }
        idleCheck = Task { [weak self] in
            while (try? await Task.sleep(for: .milliseconds(HostLimits.idleCheckMilliseconds))) != nil, let self {
                await self.stopIdle(now: Clock.monotonicMilliseconds())
            }
        }
    }

    /// - Parameter now: monotonic, in milliseconds.
    func stopIdle(now: UInt64) {
        perform(book.tick(now: now))
        for name in withoutRoom { startIfWanted(name) }
        flush()
    }

    /// Writes what found no room on the disk when it happened.
    private func flush() {
        starter.flushRecords()
        restarts.flush()
    }

    // MARK: admins

    /// Goes on where the last host ended: with its probations, and with what ran by an admin's wish.
    public func startWanted() throws(HostError) {
        try resumeProbations()
        for name in restarts.wanted { startIfWanted(name) }
    }

    /// Starts a plugin, whatever it did before.
    ///
    /// - Parameter isKept: it is to run from now on, also after it failed and when the host starts again.
    public func start(_ name: String, isKept: Bool = true) async throws(HostError) {
        guard !isShutDown else { throw Self.stopping }
        let plugin = try catalog.plugin(name)
        restarts.wants(name, isKept: isKept)
        let (member, actions) = book.startSpare(plugin, now: Clock.monotonicMilliseconds())
        perform(actions)
        guard let member else {
            if isKept { waitForRoom(name) }
            throw Self.noRoom(name, isKept ? "; it starts once there is room" : "")
        }
        _ = try await started(member).get()
        // It may have been running already, as one of several whose last failure was another's.
        if instances[member] != nil { restarts.runs(name) }
    }

    /// Stops a plugin if it runs; waits for its drain.
    public func stop(_ name: String) async throws(HostError) {
        _ = try catalog.plugin(name)
        await retire(
            name, refusing: HostError(.unavailable, "the plugin \(name) was stopped; call again", retryable: true))
        restarts.stops(name)
    }

    /// Ends the processes of a plugin that knew what it must not know any more. Calls under way are answered; the next
    /// one gets a new process.
    public func recycle(_ name: String) async {
        await retire(
            name,
            refusing: HostError(
                .unavailable, "an admin changed what the plugin \(name) gets; call again", retryable: true))
        startIfWanted(name)
    }

    /// The same for a name that may be in the catalog no more: call it after a plugin was replaced or removed, so that
    /// no call in between brings the old one back.
    public func retire(_ name: String) async {
        await retire(name, refusing: .replaced(name))
        if (try? catalog.plugin(name)) == nil { restarts.forget(name) } else { restarts.replaced(name) }
    }

    private func retire(_ name: String, refusing error: HostError) async {
        probations.removeValue(forKey: name)?.end.cancel()
        perform(book.retire(name, refusing: error))
        await gone(book.members(of: name).map(\.number))
    }

    /// Stops everything and refuses to start anything more.
    public func shutDown() async {
        isShutDown = true
        idleCheck?.cancel()
        for probation in probations.values { probation.end.cancel() }
        perform(book.retireAll(refusing: Self.stopping))
        await gone(book.all.map(\.number))
        flush()
        launcher.close()
    }

    static func noRoom(_ name: String, _ outlook: String = "") -> HostError {
        HostError(
            .unavailable,
            "the plugin \(name) was not started: the host's budget is used up; stop another first\(outlook)",
            retryable: true, retryAfterMilliseconds: HostLimits.budgetRetryMilliseconds)
    }

    private static let stopping = HostError(.pluginFailed, "nexusd is stopping", retryable: true)
}

extension HostError {
    static let cancelledByCaller = HostError(Code("cancelled"), "the caller cancelled the call")

    static func busyUntilTheDeadline(_ plugin: String) -> HostError {
        HostError(.deadlineExceeded, "the plugin \(plugin) was busy until the call's deadline", retryable: true)
    }
}
