// The host's end of nexus-jail. What crosses: plans in sealed memory and descriptors go out, fixed records come back.
// The launcher is trusted to confine; it trusts nothing that is sent to it.
import CJail
import Glibc
import Synchronization

/// Descriptors for a new jail. Borrowed: the caller closes its own copies when `spawn` has returned.
public struct JailDescriptors: Sendable {
    /// Descriptor 3 of the plugin.
    public var channel: Int32?
    /// Nil stands for /dev/null.
    public var standardInput, standardOutput, standardError: Int32?
    /// From `SealedMemory.seal`, for `JailProgram.sealed` and `script`.
    public var executable: Int32?

    public init(
        channel: Int32? = nil, standardInput: Int32? = nil, standardOutput: Int32? = nil, standardError: Int32? = nil,
        executable: Int32? = nil
    ) {
        self.channel = channel
        self.standardInput = standardInput
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.executable = executable
    }
}

/// A running nexus-jail. One serves any number of jails; they die with its launcher, which is started again.
public final class JailLauncher: Sendable {
    /// How long a jail may take from request to exec.
    public static let startSeconds = 10

    private let monitor: JailMonitor
    private let ids = Mutex(OuterIDs())
    private let plans = Mutex(PlanCache())
    private let kernel: KernelSupport
    private let home: CgroupHome
    /// What this launcher bounds for a jail as a whole, and why not more.
    public var bounds: CgroupBounds { home.bounds }
    /// What is held for jails now; nothing where none runs.
    var openSessions: Int { monitor.sessionCount }
    var idsInUse: Int { ids.withLock { $0.count } }
    /// nexus-jail runs as root and gives each jail a user of its own.
    public var privileged: Bool { monitor.launcher.user == 0 }

    /// Starts nexus-jail with an empty environment and waits for its greeting.
    ///
    /// - Parameters:
    ///   - helper: path of the nexus-jail executable.
    ///   - mountRoots: directories below which it takes mount sources; the five devices are always allowed.
    ///   - cgroups: where it may bound jails as a whole; what cannot be used of it is left out, and `bounds` says why.
    /// - Throws: `JailError.Code.launcher` when it cannot be started or is of another version.
    public static func start(
        helper: String, mountRoots: [String], cgroups: CgroupPlacement = .ofThisMachine()
    ) throws(JailError) -> JailLauncher {
        let home = CgroupHome(cgroups)
        do throws(JailError) {
            return try start(helper: helper, mountRoots: mountRoots, home: home)
        } catch {
            home.remove()
            throw error
        }
    }

    /// Also the way for tests to use directories that they have made.
    static func start(helper: String, mountRoots: [String], home: CgroupHome) throws(JailError) -> JailLauncher {
        for root in mountRoots where !PolicyCheck.isPlain(root) {
            throw JailError(.launcher, "mount root \"\(root)\" must be a plain absolute path")
        }
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw .system("socketpair", errno)
        }
        let (ours, theirs) = (ends[0], ends[1])
        let arguments = ["nexus-jail"] + mountRoots.flatMap { ["--mount-root", $0] } + home.arguments
        let monitor = try JailMonitor(control: ours, whenOver: home.remove) {
            LauncherProcess.start(helper: helper, arguments: arguments, control: theirs, keeperSocket: ours)
        }
        return JailLauncher(monitor: monitor, home: home)
    }

    private init(monitor: JailMonitor, home: CgroupHome) {
        self.home = home
        self.monitor = monitor
        kernel = .forPlans()
    }

    deinit { close() }

    /// Of the process that serves requests, or did last: one that dies is replaced by its keeper.
    public var processID: Int32 { monitor.launcher.pid }
    /// Of the process that starts it again.
    public var keeperID: Int32 { monitor.keeper }
    /// How each launcher ended that died and was replaced; all its jails died with it. For one reader.
    public var losses: AsyncStream<JailExit> { monitor.losses }

    /// Waits until nexus-jail is gone for good: closed, its keeper killed, or its launcher dead five times in a minute.
    public func exited() async -> JailExit { await monitor.exited() }

    /// Ends nexus-jail and with it all its jails.
    public func close() { monitor.close() }

    /// Builds a jail and executes the program in it.
    ///
    /// Returns when every layer is applied and exec has succeeded.
    /// - Parameter denied: told of each refused call before the program gets its answer, on the thread that serves all
    ///   jails: it must not block. Without it they wait in `Jail.denials`.
    /// - Throws: `JailError`, naming the layer and the kernel's answer; nothing runs then.
    public func spawn(
        _ policy: JailPolicy, descriptors: JailDescriptors, denied: (@Sendable (JailDenial) -> Void)? = nil
    ) async throws(JailError) -> Jail {
        try await spawn(policy, descriptors: descriptors, recorder: nil, denied: denied)
    }

    func spawn(
        _ policy: JailPolicy, descriptors: JailDescriptors, recorder: CallRecorder?,
        denied: (@Sendable (JailDenial) -> Void)? = nil
    ) async throws(JailError) -> Jail {
        let session = try begin(policy, descriptors, recorder: recorder, denied: denied)
        switch await session.started() {
        case .success(let report): return Jail(report: report, session: session)
        case .failure(let error): throw error
        }
    }

    /// Builds a jail up to the exec of its program, which then costs little more than an exec.
    ///
    /// - Throws: as `spawn`.
    public func prepare(_ policy: JailPolicy, descriptors: JailDescriptors) async throws(JailError) -> WaitingJail {
        let session = try begin(policy, descriptors, waits: true)
        switch await session.waiting() {
        case .success(let report): return WaitingJail(report: report, session: session)
        case .failure(let error): throw error
        }
    }

    private func begin(
        _ policy: JailPolicy, _ descriptors: JailDescriptors, recorder: CallRecorder? = nil, waits: Bool = false,
        denied: (@Sendable (JailDenial) -> Void)? = nil
    ) throws(JailError) -> JailSession {
        guard !monitor.hasExited else { throw Self.gone(policy) }
        guard policy.program.takesSealedMemory == (descriptors.executable != nil) else {
            throw JailError(
                .policy, "jail \"\(policy.name)\": an executable descriptor goes with a sealed program or script")
        }
        let id = privileged ? ids.withLock { $0.take() } : nil
        let own = monitor.launcher
        let host = JailHost(
            privileged: privileged, outerUser: id ?? own.user, outerGroup: id ?? own.group, bounds: bounds)
        let release: @Sendable () -> Void = { [weak self] in
            if let id { self?.ids.withLock { $0.give(back: id) } }
        }
        let planFile: Int32
        do {
            let plan = try plans.withLock { cache throws(JailError) in
                try cache.plan(policy, host: host, kernel: kernel)
            }
            planFile = try SealedMemory.make(plan.bytes, name: "plan", executable: false)
        } catch {
            release()
            throw error
        }
        defer { Glibc.close(planFile) }
        return try request(
            planFile: planFile, policy, descriptors, purpose: try Self.purpose(policy, recorder), waits: waits,
            denied: denied, whenOver: release)
    }

    private static func purpose(
        _ policy: JailPolicy, _ recorder: CallRecorder?
    ) throws(JailError) -> JailListener.Purpose {
        if policy.recordsCalls, let recorder { return .recording(recorder) }
        let paths = policy.shownPathAdvice == nil ? nil : try PathRules(policy)
        return .denials(try DenialRules.named(policy.profile), paths)
    }

    /// Sends one request; the session answers for the rest. Calls `whenOver` exactly once, also when it throws.
    /// Also the way for tests to send a plan that no compiler would make.
    func request(
        planFile: Int32, _ policy: JailPolicy, _ descriptors: JailDescriptors, purpose: JailListener.Purpose? = nil,
        waits: Bool = false, denied: (@Sendable (JailDenial) -> Void)? = nil,
        whenOver: @escaping @Sendable () -> Void = {}
    ) throws(JailError) -> JailSession {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            defer { whenOver() }
            throw .system("socketpair", errno)
        }
        defer { Glibc.close(ends[1]) }
        var request = jail_request()
        request.magic = UInt32(JAIL_REQUEST_MAGIC)
        request.version = UInt32(JAIL_FORMAT_VERSION)
        request.flags = waits ? UInt32(JAIL_REQUEST_WAIT) : 0
        var passed = [planFile, ends[1]]
        let optional = [
            descriptors.channel, descriptors.standardInput, descriptors.standardOutput, descriptors.standardError,
            descriptors.executable,
        ]
        for (bit, descriptor) in optional.enumerated() {
            guard let descriptor else { continue }
            request.descriptors |= 1 << UInt32(bit)
            passed.append(descriptor)
        }
        let connection = monitor.connection
        let sent =
            connection.map {
                cjail_send($0.descriptor, &request, MemoryLayout<jail_request>.size, passed, passed.count)
            } ?? -EPIPE
        guard sent == 0 else {
            Glibc.close(ends[0])
            whenOver()
            guard sent == -EPIPE || sent == -ECONNRESET else { throw .system("request to nexus-jail", -sent) }
            throw monitor.hasExited ? Self.gone(policy) : .launcherLost(jail: policy.name)
        }
        let session = JailSession(
            policy, bounds: bounds, descriptor: ends[0], purpose: purpose, denied: denied, whenOver: whenOver)
        do { try monitor.add(session, descriptor: ends[0]) } catch {
            session.end()
            throw error
        }
        return session
    }

    private static func gone(_ policy: JailPolicy) -> JailError {
        JailError(.launcher, "jail \"\(policy.name)\": nexus-jail has ended; start a new launcher")
    }
}

/// Outer ids for jails, each in use once: files, signals and process counts of two jails never mix.
struct OuterIDs {
    private var used: Set<UInt32> = []
    /// Two hosts on one machine begin at different places.
    private var next = UInt32(truncatingIfNeeded: getpid()) &* 257 % UInt32(JAIL_OUTER_ID_COUNT)

    /// Nil never happens before 65,536 jails run at once; the caller then falls back to a refused id.
    mutating func take() -> UInt32? {
        for _ in 0..<UInt32(JAIL_OUTER_ID_COUNT) {
            let id = UInt32(JAIL_OUTER_ID_FIRST) + next
            next = (next + 1) % UInt32(JAIL_OUTER_ID_COUNT)
            if used.insert(id).inserted { return id }
        }
        return nil
    }

    mutating func give(back id: UInt32) { used.remove(id) }

    var count: Int { used.count }
}
