import CJail
import Glibc
import Synchronization

/// The thin shell around `JailProgress`: one report socket, and the tasks that wait for it.
final class JailSession: Sendable {
    private struct State {
        var progress: JailProgress
        var descriptor: Int32
        var wait: Result<JailReport, JailError>?
        var start: Result<JailReport, JailError>?
        var end: JailEnd?
        /// When the program was seen to have ended.
        var endingSince: ContinuousClock.Instant?
        var waitWaiter, startWaiter: CheckedContinuation<Result<JailReport, JailError>, Never>?
        var endWaiters: [CheckedContinuation<JailEnd, Never>] = []
        var whenOver: (@Sendable () -> Void)?
        var purpose: JailListener.Purpose?
        /// Received, and not yet taken by the monitor.
        var listener: JailListener?
        /// The socket of JAIL_LISTENER, until somebody takes it.
        var proxy: Int32 = -1
    }
    private let state: Mutex<State>
    /// The latest 256 that nobody has read; ends with the jail. Empty where `denied` takes them.
    let denials: AsyncStream<JailDenial>
    private let denialEvents: AsyncStream<JailDenial>.Continuation
    private let denied: (@Sendable (JailDenial) -> Void)?
    let deadline: ContinuousClock.Instant

    /// - Parameter purpose: what a listener of the jail's filter is for; nil closes it, and refuses what it is for.
    init(
        _ policy: JailPolicy, bounds: CgroupBounds, descriptor: Int32, purpose: JailListener.Purpose? = nil,
        denied: (@Sendable (JailDenial) -> Void)? = nil, whenOver: @escaping @Sendable () -> Void
    ) {
        let progress = JailProgress(
            name: policy.name, limits: policy.limits, bounds: bounds,
            showsPaths: policy.shownPathAdvice != nil)
        state = Mutex(State(progress: progress, descriptor: descriptor, whenOver: whenOver, purpose: purpose))
        (denials, denialEvents) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
        self.denied = denied
        deadline = .now + .seconds(JailLauncher.startSeconds)
    }

    var processID: Int32 { state.withLock { $0.progress.processID } }
    /// Nothing is awaited any more before the deadline.
    var hasAnswered: Bool { state.withLock { $0.wait != nil || $0.start != nil } }

    /// Confined, and held back before exec.
    func waiting() async -> Result<JailReport, JailError> {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.wait == nil { state.waitWaiter = continuation }
                return state.wait
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    func started() async -> Result<JailReport, JailError> {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.start == nil { state.startWaiter = continuation }
                return state.start
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Whether the launcher keeps the host waiting: for the start, or for its last word after the program's end.
    func isLate(_ now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if let since = state.endingSince { return state.end == nil && now - since > .seconds(2) }
            return state.start == nil && state.wait == nil && deadline < now
        }
    }

    func ended() async -> JailEnd {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.end == nil { state.endWaiters.append(continuation) }
                return state.end
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Reads what has arrived. False when nothing more will.
    func readable() -> Bool {
        while true {
            var bytes = [UInt8](repeating: 0, count: ReportRecord.size * ReportRecord.most)
            var passed: Int32 = -1
            let count = state.withLock { state in
                state.descriptor < 0 ? 0 : cjail_receive(state.descriptor, &bytes, bytes.count, &passed)
            }
            if count == -Int(EAGAIN) || count == -Int(EINTR) { return true }
            guard count > 0 else {
                end()
                return false
            }
            let records = stride(from: 0, to: count, by: ReportRecord.size).compactMap {
                ReportRecord(Array(bytes[$0..<min(count, $0 + ReportRecord.size)]))
            }
            if passed >= 0 { keep(passed, from: records.first) }
            for record in records { perform { $0.received(record) } }
        }
    }

    /// A descriptor came along. Only those that belong to the records of a listener and of a proxy are kept, only the
    /// first of each, and none once the program runs.
    private func keep(_ descriptor: Int32, from record: ReportRecord?) {
        if record?.kind == JAIL_REPORT_PROXY.rawValue { return keepProxy(descriptor) }
        let purpose = state.withLock { state in
            defer { state.purpose = nil }
            return record?.kind == JAIL_REPORT_LISTENER.rawValue && state.start == nil
                ? state.purpose : nil
        }
        guard let purpose else {
            close(descriptor)
            return
        }
        let listener = JailListener(
            descriptor: descriptor, purpose: purpose, tell: denied ?? { [denialEvents] in denialEvents.yield($0) })
        state.withLock { $0.listener = listener }
    }

    private func keepProxy(_ descriptor: Int32) {
        let isKept = state.withLock { state in
            guard state.proxy < 0, state.start == nil else { return false }
            state.proxy = descriptor
            return true
        }
        if !isKept { close(descriptor) }
    }

    /// The listener that has arrived since the last time, for the monitor to serve.
    func takeListener() -> JailListener? {
        state.withLock { state in
            defer { state.listener = nil }
            return state.listener
        }
    }

    /// No denial will follow.
    func finishDenials() { denialEvents.finish() }

    /// The socket is of no more use: what is still awaited is answered, and the jail dies with the socket.
    func end(timedOut: Bool = false) {
        perform { $0.ended(timedOut: timedOut) }
        let (descriptor, whenOver) = state.withLock { state in
            defer {
                state.descriptor = -1
                state.whenOver = nil
            }
            return (state.descriptor, state.whenOver)
        }
        if descriptor >= 0 { close(descriptor) }
        whenOver?()
    }

    func takeProxySocket() -> Int32? {
        state.withLock { state in
            defer { state.proxy = -1 }
            return state.proxy < 0 ? nil : state.proxy
        }
    }

    deinit {
        let proxy = takeProxySocket()
        if let proxy { close(proxy) }
    }

    func command(_ byte: Int32) {
        var command = UInt8(truncatingIfNeeded: byte)
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            _ = send(state.descriptor, &command, 1, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
    }

    private func perform(_ step: (inout JailProgress) -> [JailProgress.Action]) {
        var resumptions: [() -> Void] = []
        state.withLock { state in
            for action in step(&state.progress) {
                switch action {
                case .waiting(let report):
                    answerWaiting(.success(report), &state, &resumptions)
                case .started(let result):
                    // Whoever expected it to wait hears how it ended instead.
                    answerWaiting(result, &state, &resumptions)
                    state.start = result
                    if let waiter = state.startWaiter { resumptions.append { waiter.resume(returning: result) } }
                    state.startWaiter = nil
                case .exited(let end):
                    state.end = end
                    for waiter in state.endWaiters { resumptions.append { waiter.resume(returning: end) } }
                    state.endWaiters = []
                }
            }
            if state.progress.isEnding && state.endingSince == nil { state.endingSince = .now }
        }
        for resume in resumptions { resume() }
    }

    private func answerWaiting(
        _ result: Result<JailReport, JailError>, _ state: inout State, _ resumptions: inout [() -> Void]
    ) {
        guard state.wait == nil else { return }
        state.wait = result
        if let waiter = state.waitWaiter { resumptions.append { waiter.resume(returning: result) } }
        state.waitWaiter = nil
    }
}

/// A jail that is complete, up to the exec of its program, which it makes when it is started. Letting go of the last
/// reference to one that was not started kills it.
public final class WaitingJail: Sendable {
    /// What was applied; the exec is not among it.
    public let report: JailReport
    /// Init's pid as the host sees it.
    public let processID: Int32
    private let session: JailSession
    private let isUsed = Mutex(false)

    init(report: JailReport, session: JailSession) {
        self.report = report
        self.session = session
        self.processID = session.processID
    }

    deinit { if !isUsed.withLock({ $0 }) { session.command(JAIL_COMMAND_KILL) } }

    /// Executes the program and returns when the kernel has done so. Once only: a jail serves one program.
    ///
    /// - Throws: `JailError`, when the program cannot be executed, the jail is gone or was started before.
    public func start() async throws(JailError) -> Jail {
        let wasUsed = isUsed.withLock { used in
            defer { used = true }
            return used
        }
        guard !wasUsed else { throw JailError(.policy, "a waiting jail is started once; take another") }
        session.command(JAIL_COMMAND_START)
        switch await session.started() {
        case .success(let report): return Jail(report: report, session: session)
        case .failure(let error): throw error
        }
    }

    /// Waits until it has ended, started or not.
    public func exited() async -> JailExit { await session.ended().exit }
}

/// A running jail. Letting go of the last reference kills it.
public final class Jail: Sendable {
    /// What was applied before the program was executed.
    public let report: JailReport
    /// Init's pid as the host sees it.
    public let processID: Int32
    /// Every system call that was refused and reported, as it happens; ends with the jail. For one reader. What comes
    /// too fast is counted in `JailDenial.count`, and what nobody reads is dropped, the oldest first.
    public var denials: AsyncStream<JailDenial> { session.denials }
    private let session: JailSession

    init(report: JailReport, session: JailSession) {
        self.report = report
        self.session = session
        self.processID = session.processID
    }

    deinit { kill() }

    /// The listening socket of `JailPolicy.proxyPort`, once; the caller closes it. Who connects to it is in this jail.
    public func takeProxySocket() -> Int32? { session.takeProxySocket() }

    /// Sends SIGTERM to the plugin.
    public func terminate() { session.command(JAIL_COMMAND_TERMINATE) }

    /// Ends every process of the jail at once.
    public func kill() { session.command(JAIL_COMMAND_KILL) }

    /// Waits for the program's end; any number of tasks may.
    public func exited() async -> JailExit { await session.ended().exit }

    /// Waits for the jail's end, and says which limit had to do with it.
    public func ended() async -> JailEnd { await session.ended() }
}
