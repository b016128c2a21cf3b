internal import CJail
internal import Confinement
internal import Glibc
internal import JSONBytes
internal import PluginABI
internal import Sandbox
internal import Synchronization

/// One process of a plugin: its jail, its conversation and its output.
final class PluginInstance: Sendable {
    let id: String
    let plugin: InstalledPlugin
    let session: PluginSession
    let report: JailReport
    /// What this process was lent. Where processes are kept apart, one user's credentials must not be found by another
    /// who has them guessed and redacted; logs and causes know those of all.
    let redactor: Redactor
    let meter: InstanceMeter
    private let log: PluginLog
    private let jail: Jail
    private let captures: [OutputCapture]
    /// Of the jail's init, as the host sees it.
    var processID: Int32 { jail.processID }

    /// What an instance needs from its host.
    struct Environment: Sendable {
        var launcher: JailLauncher
        var python: PythonRuntime?
        var poller: DescriptorPoller
        var services: any HostServices
        var log: PluginLog
        /// See `JailWeakening.shownPaths`; for development.
        var showsPaths = false
        /// Puts a refused system call, or a limit that was met, on record.
        var denied: @Sendable (Denial, CallContext?) -> Void = { _, _ in }
        /// What an instance left behind, before `ended`.
        var left: @Sendable (String, Incident.Remains) -> Void = { _, _ in }
        var metrics = HostMetrics()
        var ended: @Sendable (String, HostError) -> Void
    }

    /// Builds the jail, starts the plugin in it and takes it to `running`.
    ///
    /// - Throws: `HostError` with the layer that failed, or what the plugin did instead of starting.
    static func start(
        _ plugin: InstalledPlugin, id: String, executable: SealedProgram, in environment: Environment
    ) async throws(HostError) -> PluginInstance {
        let start = Clock.monotonicNanoseconds()
        let pipes = try InstanceDescriptors(plugin.name)
        let jail: Jail
        let feed = DenialFeed(plugin: plugin.name, instance: id)
        let profile: String
        do {
            var policy = try Confinement.policy(for: plugin.manifest, instance: id, python: environment.python)
            if environment.showsPaths { policy.showPaths(advice: pathAdvice, weakening: .shownPaths) }
            profile = policy.profile
            jail = try await environment.launcher.spawn(
                policy, descriptors: pipes.forJail(executable), denied: { [feed] in feed.received($0) })
        } catch {
            pipes.closeAll()
            environment.metrics.didNotStart(plugin.name)
            // A launcher that is gone is on its way back.
            throw HostError(
                .jailFailed, "the plugin \(plugin.name) was not started: \(error.message)",
                retryable: error.code == .launcher)
        }
        pipes.closeJailEnds()
        environment.metrics.builtJail(after: Int64(clamping: Clock.monotonicNanoseconds() - start))
        let instance = PluginInstance(
            plugin: plugin, id: id, jail: jail, profile: profile, pipes: pipes, feed: feed, environment: environment)
        do {
            try await instance.begin()
            environment.metrics.started(plugin.name, after: Int64(clamping: Clock.monotonicNanoseconds() - start))
        } catch {
            environment.metrics.didNotStart(plugin.name)
            instance.kill(cause: error)
            throw error
        }
        return instance
    }

    private static let pathAdvice =
        "no permission of this version shows files of the machine; carry the data in the program, write below /tmp"

    private init(
        plugin: InstalledPlugin, id: String, jail: Jail, profile: String, pipes: InstanceDescriptors,
        feed: DenialFeed, environment: Environment
    ) {
        self.plugin = plugin
        self.id = id
        self.jail = jail
        report = jail.report
        let log = environment.log
        self.log = log
        redactor = plugin.isolation == .shared ? log.redactor : Redactor()
        let meter = environment.metrics.meter(of: id, plugin: plugin.name, jail: profile)
        self.meter = meter
        captures = [
            OutputCapture(
                descriptor: pipes.output.host, source: "stdout", instance: id, log: log,
                poller: environment.poller
            ) {
                log.add(Diagnosis.wroteToStandardOutput($0))
            },
            OutputCapture(
                descriptor: pipes.errors.host, source: "stderr", instance: id, log: log,
                poller: environment.poller),
        ]
        let epitaph = Epitaph(jail: jail, log: log, instance: id)
        session = PluginSession(
            plugin: plugin.name, descriptor: pipes.channel.host, poller: environment.poller,
            callbacks: PluginSession.Callbacks(
                log: { log.add($0, request: $1) }, diagnose: { log.add($0, request: $1) },
                services: environment.services,
                explainEnd: { [denied = environment.denied] in
                    let end = await Self.end(of: jail, within: HostLimits.exitStatusMilliseconds)
                    epitaph.end.withLock { $0 = end }
                    meter.saw(end)
                    if let denial = end.flatMap({ Denial($0, plugin: plugin.name, instance: id) }) {
                        meter.denied(denial)
                        log.add(denial)
                        denied(denial, nil)
                    }
                    return Self.cause(end, plugin: plugin.name)
                },
                left: { [left = environment.left] in left(id, epitaph.remains($0)) },
                ended: { cause in
                    jail.kill()
                    feed.leaveSession()
                    meter.ended(cause)
                    Task { [denied = environment.denied] in
                        // The launcher says it once the jail is gone; nobody waits for this.
                        let end = await Self.end(of: jail, within: HostLimits.lastWordMilliseconds)
                        let percent = plugin.manifest.permissions.resources.cpuPercent
                        let denial = end.flatMap {
                            Denial(throttled: $0, percent: percent, plugin: plugin.name, instance: id)
                        }
                        guard let denial else { return }
                        log.add(denial)
                        denied(denial, nil)
                    }
                    var cause = cause
                    cause.message = log.redactor.redact(cause.message)
                    environment.ended(id, cause)
                }, meter: meter))
        feed.belong(to: session)
        feed.deliver { [denied = environment.denied] denial, context in
            meter.denied(denial)
            let denial = denial.redacted(by: log.redactor)
            log.add(denial)
            denied(denial, context)
        }
        session.open()
    }

    /// What is lent to a call is taken out of whatever is heard of this process.
    func learn(_ credentials: [Credential]) {
        redactor.learn(credentials)
        log.redactor.learn(credentials)
    }

    /// Tells the plugin's author of a mistake.
    func note(_ diagnosis: Diagnosis, request: String) { log.add(diagnosis, request: request) }

    /// Tells them of something that the host refused the plugin.
    func note(_ denial: Denial) {
        meter.denied(denial)
        log.add(denial)
    }

    /// hello … started.
    private func begin() async throws(HostError) {
        try await session.step(nil, to: .greeted, milliseconds: deadline(.created))
        let version: UInt32
        do {
            version = try VersionRange.supported.highestCommon(with: session.offeredVersions ?? VersionRange(0, 0))
        } catch {
            try? await session.step(.abort(error), to: .failed, milliseconds: 100)
            throw HostError(.pluginFailed, "the plugin \(plugin.name) cannot be used: \(error.message)")
        }
        try await session.step(
            .welcome(version: version, instance: id, bodyLimit: UInt32(ABILimits.bodyBytes)), to: .welcomed,
            milliseconds: 1_000)
        try await session.step(
            .initialize(configuration: Array("{}".utf8)), to: .initialized, milliseconds: deadline(.initializing))
        try await session.step(.start, to: .running, milliseconds: deadline(.starting))
    }

    /// Why it ended, without secrets; nil while it runs.
    var cause: HostError? {
        guard var cause = session.cause else { return nil }
        cause.message = redactor.redact(cause.message)
        return cause
    }

    /// stop, dispose, and then the process: asked, then told. Calls that are open at the deadline are cancelled.
    func stop() async {
        meter.willStop()
        let drain = deadline(.stopping)
        // On the thread that the deadline of the step is on, so that it cannot come after that one.
        let last = session.poller.timer(afterMilliseconds: drain) { [session, jail, name = plugin.name] in
            session.cancelCalls(
                HostError(.pluginFailed, "the plugin \(name) was stopped before the call had ended", retryable: true))
            jail.terminate()
        }
        defer { session.poller.cancel(last) }
        do throws(HostError) {
            try await session.step(
                .stop(deadline: Clock.unixMilliseconds() + drain), to: .stopped,
                milliseconds: drain + HostLimits.terminateMilliseconds)
            try await session.step(.dispose, to: .disposed, milliseconds: deadline(.disposing))
        } catch {
            kill(cause: error)
            return
        }
        jail.terminate()
        _ = await end(within: HostLimits.terminateMilliseconds)
        kill(cause: HostError(.pluginFailed, "the plugin \(plugin.name) was stopped", retryable: true))
    }

    /// Ends the process at once and waits until the kernel is done with it. Its output is read to the end.
    func destroy() async {
        meter.willStop()
        jail.kill()
        session.fail(HostError(.pluginFailed, "the plugin \(plugin.name) has served its one call"))
        _ = await end(within: HostLimits.terminateMilliseconds)
    }

    func kill(cause: HostError) {
        jail.kill()
        session.fail(cause)
        for capture in captures { capture.stop() }
    }

    private func end(within milliseconds: UInt64) async -> JailEnd? {
        await Self.end(of: jail, within: milliseconds)
    }

    private func deadline(_ state: LifecycleState) -> UInt64 { state.deadlineMilliseconds ?? 1_000 }

    /// Why a plugin's socket closed, as far as its init tells in time.
    private static func cause(_ end: JailEnd?, plugin: String) -> HostError {
        let what = end.map { "ended: \($0)" } ?? "closed its connection"
        return HostError(.pluginFailed, "the plugin \(plugin) \(what)", retryable: true)
    }

    private static func end(of jail: Jail, within milliseconds: UInt64) async -> JailEnd? {
        // Not a task group: it would wait for the process too, which may never end by itself.
        let waiter: Mutex<CheckedContinuation<JailEnd?, Never>?> = Mutex(nil)
        let take: @Sendable () -> CheckedContinuation<JailEnd?, Never>? = {
            waiter.withLock { waiter in
                defer { waiter = nil }
                return waiter
            }
        }
        return await withCheckedContinuation { continuation in
            waiter.withLock { $0 = continuation }
            Task {
                let end = await jail.ended()
                take()?.resume(returning: end)
            }
            Task {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                take()?.resume(returning: nil)
            }
        }
    }
}

/// What an instance will have left behind, once it is over.
private final class Epitaph: Sendable {
    /// As init told it; nil if it had not in time, or nobody asked.
    let end = Mutex<JailEnd?>(nil)
    private let born = ContinuousClock.now
    private let layers: JSONValue
    private let log: PluginLog
    private let logged: Int

    private let instance: String

    init(jail: Jail, log: PluginLog, instance: String) {
        self.instance = instance
        layers = jail.report.json
        self.log = log
        logged = log.count
    }

    func remains(_ session: SessionRemains) -> Incident.Remains {
        var remains = Incident.Remains(end.withLock { $0 })
        remains.state = session.state.rawValue
        remains.received = session.received.names
        remains.sent = session.sent.names
        remains.calls = Array(session.calls.sorted().prefix(HostLimits.incidentCalls))
        remains.uptimeMilliseconds = UInt64(clamping: Int64((ContinuousClock.now - born) / .milliseconds(1)))
        remains.layers = layers
        let said = log.lines(after: logged, limit: .max).filter { $0.instance == instance }.map(\.text)
        remains.standardError = said.filter { $0.hasPrefix("stderr: ") }.suffix(HostLimits.incidentLines)
            .map { String($0.dropFirst(8)) }
        return remains
    }
}

/// The descriptors of one instance, both ends of each, made together and closed together.
struct InstanceDescriptors {
    struct Pair {
        var host: Int32 = -1
        var jail: Int32 = -1
    }
    private(set) var channel = Pair()
    private(set) var output = Pair()
    private(set) var errors = Pair()

    init(_ name: String) throws(HostError) {
        var ends: [Int32] = [-1, -1]
        var made = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
        channel = Pair(host: ends[0], jail: ends[1])
        var room = Int32(HostLimits.channelBytes)
        setsockopt(channel.jail, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        if made {
            made = cjail_pipe(&ends) == 0
            output = Pair(host: ends[0], jail: ends[1])
        }
        if made {
            made = cjail_pipe(&ends) == 0
            errors = Pair(host: ends[0], jail: ends[1])
        }
        guard made else {
            let number = errno
            closeAll()
            throw HostError(
                .jailFailed, "no descriptors for \(name): errno \(number); raise `ulimit -n`", retryable: true)
        }
    }

    func forJail(_ executable: SealedProgram) -> JailDescriptors {
        JailDescriptors(
            channel: channel.jail, standardOutput: output.jail, standardError: errors.jail,
            executable: executable.descriptor)
    }

    func closeJailEnds() {
        for descriptor in [channel.jail, output.jail, errors.jail] { close(descriptor) }
    }

    func closeAll() {
        closeJailEnds()
        for descriptor in [channel.host, output.host, errors.host] { close(descriptor) }
    }
}
