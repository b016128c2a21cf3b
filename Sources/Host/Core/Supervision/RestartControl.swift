internal import Logging
internal import Synchronization

/// Which plugins may start now, which have to wait, and which are parked; and what of that outlives the host.
///
/// A plugin that an admin started is started again by the host, after its wait. Any other is started by its next call.
/// A parked one is started by nobody but an admin (`nexus plugin start`).
public final class RestartControl: Sendable {
    private struct Failing {
        var policy: RestartPolicy
        /// Why it failed last.
        var cause = ""
    }
    private struct Entry {
        var policy: RestartPolicy
        var state: PluginState
        /// Failures in a row that were none of its own.
        var others = 0
        /// Where each principal has a process: of those whose process failed. Not kept over the host's end.
        var principals: [String: Failing] = [:]

        mutating func recovered() {
            policy.recovered()
            principals = [:]
        }

        /// A failure of the process that served one principal: it is held against nobody else, unless more of them fail
        /// too often.
        mutating func failed(
            for principal: String, _ cause: String, _ fail: (inout RestartPolicy) -> RestartPolicy.Verdict
        ) {
            var failing = principals[principal] ?? Failing(policy: RestartPolicy(policy.limits))
            _ = fail(&failing.policy)
            failing.cause = cause
            principals[principal] = failing
            if principals.values.count(where: \.policy.isParked) > 1 { policy.park() }
            guard principals.count > HostLimits.failingPrincipals else { return }
            principals = principals.filter { $0.key == principal || $0.value.policy.isParked }
        }
    }
    private let entries: Mutex<[String: Entry]>
    private let unsaved = Mutex<Set<String>>([])
    private let store: PluginStateStore
    private let limits: RestartPolicy.Limits
    private let jitter: @Sendable (UInt64) -> UInt64
    private let unixNow: @Sendable () -> UInt64
    private let now: @Sendable () -> UInt64
    private let logger = Logger(label: "nexus.restarts")

    /// Reads what the last host left: what ran then is stopped now, what was parked still is.
    public convenience init(database: Database) throws(HostError) {
        try self.init(database: database, limits: .standard)
    }

    /// - Parameters:
    ///   - jitter: a number from 0 to its argument.
    ///   - now: in milliseconds, of a clock that never goes back.
    init(
        database: Database, limits: RestartPolicy.Limits,
        jitter: @escaping @Sendable (UInt64) -> UInt64 = { UInt64.random(in: 0...$0) },
        unixNow: @escaping @Sendable () -> UInt64 = Clock.unixMilliseconds,
        now: @escaping @Sendable () -> UInt64 = Clock.monotonicMilliseconds
    ) throws(HostError) {
        store = PluginStateStore(database: database)
        (self.limits, self.jitter, self.unixNow, self.now) = (limits, jitter, unixNow, now)
        var entries: [String: Entry] = [:]
        for (plugin, state) in try store.all() {
            var entry = Entry(policy: RestartPolicy(limits), state: state)
            if state.name == .parked { entry.policy.park() }
            if state.name == .running {
                entry.state.name = .stopped
                (entry.state.cause, entry.state.since) = ("host restarted", unixNow())
                try store.set(entry.state, of: plugin)
            }
            entries[plugin] = entry
        }
        self.entries = Mutex(entries)
    }

    /// Nil for a plugin that has never run.
    public func state(of plugin: String) -> PluginState? { entries.withLock { $0[plugin]?.state } }

    /// Plugins that an admin started and nobody stopped, for the host to start when it has started itself.
    public var wanted: [String] {
        entries.withLock { $0.filter { $0.value.state.isWanted && $0.value.state.name != .parked }.keys.sorted() }
    }

    func isWanted(_ plugin: String) -> Bool { entries.withLock { $0[plugin]?.state.isWanted ?? false } }

    /// Why a plugin may not be started now: how long to wait, or for a parked one what an admin has to do. Nil where
    /// it may.
    func refusal(of plugin: String) -> HostError? {
        guard let entry = entries.withLock({ $0[plugin] }) else { return nil }
        let cause = entry.state.cause ?? "unknown"
        if entry.policy.isParked {
            return HostError(
                .unavailable,
                "the plugin \(plugin) is parked, for it failed \(limits.failures) times within "
                    + "\(limits.windowMilliseconds / 1_000) s; an admin starts it with `nexus plugin start \(plugin)`; "
                    + "it failed last: \(cause)")
        }
        return entry.policy.wait(now: now()).map { wait in
            HostError(
                .unavailable, "the plugin \(plugin) starts again in \(wait) ms; it failed: \(cause)", retryable: true,
                retryAfterMilliseconds: Int(clamping: wait))
        }
    }

    /// The same for one principal, where each has a process of its own.
    func refusal(of plugin: String, for principal: String) -> HostError? {
        guard let failing = entries.withLock({ $0[plugin]?.principals[principal] }) else { return nil }
        let (policy, cause) = (failing.policy, failing.cause)
        if policy.isParked {
            return HostError(
                .unavailable,
                "the plugin \(plugin) is parked for \(principal), for whom it failed \(limits.failures) times within "
                    + "\(limits.windowMilliseconds / 1_000) s; others are served; an admin starts it with "
                    + "`nexus plugin start \(plugin)`; it failed last: \(cause)")
        }
        return policy.wait(now: now()).map { wait in
            HostError(
                .unavailable, "the plugin \(plugin) starts again for \(principal) in \(wait) ms; it failed: \(cause)",
                retryable: true, retryAfterMilliseconds: Int(clamping: wait))
        }
    }

    /// For how many principals it failed lately.
    func failingPrincipals(of plugin: String) -> Int { entries.withLock { $0[plugin]?.principals.count ?? 0 } }

    /// An admin starts it: whatever was before counts no more, and it is to run from now on.
    ///
    /// - Parameter isKept: false for this one time only.
    func wants(_ plugin: String, isKept: Bool = true) {
        change(plugin) { entry in
            entry.recovered()
            entry.state.isWanted = isKept
            if entry.state.name == .parked { entry.state.name = .failed }
            entry.state.failures = 0
        }
    }

    func runs(_ plugin: String) {
        change(plugin) { ($0.state.name, $0.state.cause, $0.others) = (.running, nil, 0) }
    }

    /// The last instance ended as it was asked to.
    ///
    /// - Parameter cause: why, for people; nil where an admin stopped it, who then does not want it any more.
    func stops(_ plugin: String, _ cause: String? = nil) {
        change(plugin) { entry in
            if cause == nil { entry.state.isWanted = false }
            guard !entry.policy.isParked else { return }
            let parked = entry.principals.filter { $0.value.policy.isParked }
            entry.recovered()
            entry.principals = parked
            (entry.state.name, entry.state.cause, entry.state.failures) = (.stopped, cause, 0)
        }
    }

    /// It was removed: whoever comes back under its name is somebody else.
    func forget(_ plugin: String) { _ = entries.withLock { $0.removeValue(forKey: plugin) } }

    /// It was replaced: what its program did counts no more for another one.
    ///
    /// - Parameter cause: why, where no admin asked for it; until the next start.
    func replaced(_ plugin: String, _ cause: String? = nil) {
        change(plugin) { entry in
            entry.recovered()
            (entry.state.name, entry.state.cause, entry.state.failures) = (.stopped, cause, 0)
        }
    }

    /// An instance failed.
    ///
    /// - Parameters:
    ///   - ran: how long it had been running, in milliseconds.
    ///   - remains: nil if no jail was built.
    ///   - principal: whom its process served, if it served only one.
    /// - Returns: when the host may start it again by itself. Callers do not wait for failures that were none of its
    ///   own.
    @discardableResult
    func failed(
        _ plugin: String, _ cause: HostError, ran: UInt64, remains: Incident.Remains?, for principal: String? = nil
    ) -> RestartPolicy.Verdict {
        let isOwn = Self.counts(cause, remains)
        var verdict = RestartPolicy.Verdict.park
        change(plugin) { entry in
            (entry.state.name, entry.state.cause) = (.failed, cause.message)
            guard isOwn else {
                verdict = .restart(
                    afterMilliseconds: min(100 << UInt64(min(entry.others, 20)), limits.mostMilliseconds))
                entry.others += 1
                return
            }
            let fail = { [now, jitter] (policy: inout RestartPolicy) in
                policy.failed(now: now(), ran: ran, jitter: jitter)
            }
            if let principal {
                entry.failed(for: principal, cause.message, fail)
                verdict = entry.policy.isParked ? .park : .restart(afterMilliseconds: 0)
                entry.state.failures = entry.principals[principal]?.policy.failures ?? 0
            } else {
                verdict = fail(&entry.policy)
                entry.state.failures = entry.policy.failures
            }
            if verdict == .park { entry.state.name = .parked }
        }
        return verdict
    }

    /// Not what the host could not do, and not jails that somebody killed from outside.
    static func counts(_ cause: HostError, _ remains: Incident.Remains?) -> Bool {
        if cause.code == .auditFailed || (cause.code == .jailFailed && cause.retryable) { return false }
        return remains?.isLost != true
    }

    /// Writes only what has changed: processes come and go much more often than states.
    private func change(_ plugin: String, _ body: (inout Entry) -> Void) {
        let changed: PluginState? = entries.withLock { entries in
            var entry =
                entries[plugin]
                ?? Entry(policy: RestartPolicy(limits), state: PluginState(.stopped, since: unixNow()))
            let before = entry.state
            body(&entry)
            if entry.state.name != before.name { entry.state.since = unixNow() }
            entries[plugin] = entry
            return entry.state == before ? nil : entry.state
        }
        guard let changed else { return }
        save(changed, of: plugin)
    }

    /// What could not be stored, a full disk's fault mostly, is stored at the next `flush`.
    private func save(_ state: PluginState, of plugin: String) {
        do throws(HostError) {
            try store.set(state, of: plugin)
            _ = unsaved.withLock { $0.remove(plugin) }
        } catch {
            let isNews = unsaved.withLock { $0.insert(plugin).inserted }
            if isNews { logger.error("the state of \(plugin) could not be stored yet: \(error.message)") }
        }
    }

    /// Stores what could not be stored before.
    func flush() {
        for plugin in unsaved.withLock({ $0 }) {
            guard let state = state(of: plugin) else {
                _ = unsaved.withLock { $0.remove(plugin) }
                continue
            }
            save(state, of: plugin)
        }
    }
}
