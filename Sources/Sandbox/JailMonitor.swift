// One thread watches all report sockets and those of nexus-jail, so that 500 jails cost 500 descriptors and no thread
// each. It is also the thread that starts nexus-jail: PR_SET_PDEATHSIG fires when the *thread* that started a process
// ends, and this one lives exactly as long as nexus-jail may. Its first process, the keeper, hands over a socket to
// each launcher; while there is none, nothing can be started.
import CJail
import Glibc
import Synchronization

final class JailMonitor: Sendable {
    private struct State {
        var sessions: [UInt64: JailSession] = [:]
        /// Listeners of the sessions' filters, by the session's token.
        var listeners: [UInt64: JailListener] = [:]
        /// Those that are not watched for a while, because their jails ask too often.
        var paused: [UInt64: ContinuousClock.Instant] = [:]
        var nextToken: UInt64 = 0
        var exit: JailExit?
        /// The thread is about to end: nothing new may be watched.
        var finished = false
        var exitWaiters: [CheckedContinuation<JailExit, Never>] = []
        var keeper: Int32 = 0
        /// Of the launcher that runs, or ran last.
        var identity = LauncherConnection.Identity(pid: 0, user: 0, group: 0)
        var connection: LauncherConnection?
        /// A launcher's socket that has not greeted yet.
        var candidate: Int32 = -1
        /// The host wants no launcher any more.
        var isClosed = false
    }
    private let state = Mutex(State())
    private let epoll: Int32
    /// The keeper's socket, closed when neither the launcher nor the thread refers to the monitor any more.
    private let control: Int32
    /// How each launcher ended that was replaced; ends when no more will be.
    let losses: AsyncStream<JailExit>
    private let lossEvents: AsyncStream<JailExit>.Continuation
    private static let controlToken: UInt64 = 0
    private static let launcherToken: UInt64 = 1 << 62
    /// Set in the token of a session's listener.
    private static let listenerBit: UInt64 = 1 << 63

    /// Runs `start` on the new thread, which then watches until the launcher is gone, and ends with `whenOver`.
    init(
        control: Int32, whenOver: @escaping @Sendable () -> Void,
        start: @escaping @Sendable () -> Result<LauncherProcess.Started, JailError>
    ) throws(JailError) {
        self.control = control
        (losses, lossEvents) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        epoll = cjail_watch_create()
        guard epoll >= 0 else { throw .system("epoll_create1", -epoll) }
        let (outcome, semaphore) = (StartOutcome(), StartSemaphore())
        let body = ThreadBody { [self] in
            let result = start()
            if case .success(let started) = result { begin(started) }
            outcome.result.withLock { $0 = result }
            semaphore.signal()
            guard case .success = result else { return }
            watch()
            whenOver()
        }
        guard body.run() else { throw .system("pthread_create", errno) }
        semaphore.wait()
        switch outcome.result.withLock({ $0 }) {
        case .failure(let error): throw error
        case .success, nil: break
        }
        let failure = cjail_watch_add(epoll, control, Self.controlToken)
        if failure < 0 { throw .system("epoll_ctl", -failure) }
    }

    deinit {
        _ = Glibc.close(control)
        if epoll >= 0 { _ = Glibc.close(epoll) }
    }

    private func begin(_ started: LauncherProcess.Started) {
        state.withLock { state in
            state.keeper = started.keeper
            state.connection = started.connection
            state.identity = started.connection.identity
        }
        _ = cjail_watch_add(epoll, started.connection.descriptor, Self.launcherToken)
    }

    /// Of the launcher that runs, or of the last one.
    var launcher: LauncherConnection.Identity { state.withLock { $0.identity } }
    var keeper: Int32 { state.withLock { $0.keeper } }
    /// Nil while there is no launcher.
    var connection: LauncherConnection? { state.withLock { $0.connection } }

    /// Ends nexus-jail: a launcher whose socket closes ends in order, and its keeper after it.
    func close() {
        let connection = state.withLock { state in
            state.isClosed = true
            return state.connection
        }
        if let connection { shutdown(connection.descriptor, Int32(SHUT_RDWR)) }
    }

    /// Begins to watch a session's socket.
    func add(_ session: JailSession, descriptor: Int32) throws(JailError) {
        let token: UInt64? = state.withLock { state in
            guard !state.finished else { return nil }
            state.nextToken += 1
            state.sessions[state.nextToken] = session
            return state.nextToken
        }
        guard let token else { throw JailError(.launcher, "nexus-jail has ended; start a new launcher") }
        let failure = cjail_watch_add(epoll, descriptor, token)
        if failure < 0 {
            forget(token)
            throw .system("epoll_ctl", -failure)
        }
    }

    func exited() async -> JailExit {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.exit == nil { state.exitWaiters.append(continuation) }
                return state.exit
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    var sessionCount: Int { state.withLock { $0.sessions.count } }

    var hasExited: Bool { state.withLock { $0.exit != nil } }

    private func watch() {
        var tokens = [UInt64](repeating: 0, count: 64)
        var tidied = ContinuousClock.now
        while !finishIfIdle() {
            let count = cjail_watch_wait(epoll, &tokens, tokens.count, resumePaused())
            for token in tokens.prefix(Int(max(0, count))) { handle(token) }
            guard ContinuousClock.now - tidied > .milliseconds(100) else { continue }
            tidied = .now
            endLateStarts()
            for listener in state.withLock({ Array($0.listeners.values) }) { listener.flush() }
        }
    }

    /// Watches again what has been paused for long enough. Returns how long to wait for something to happen, in ms.
    private func resumePaused() -> Int32 {
        let now = ContinuousClock.now
        let (due, next) = state.withLock { state in
            let due = state.paused.filter { $0.value <= now }
            for token in due.keys { state.paused[token] = nil }
            return (
                due.keys.compactMap { token in state.listeners[token].map { (token, $0) } }, state.paused.values.min()
            )
        }
        for (token, listener) in due { watch(listener, token) }
        let wait = next.map { ($0 - now) / .milliseconds(1) } ?? 500
        return Int32(min(500, max(1, wait.rounded(.up))))
    }

    private func watch(_ listener: JailListener, _ token: UInt64) {
        _ = cjail_watch_add(epoll, listener.descriptor, token | Self.listenerBit)
    }

    private func serve(_ token: UInt64) {
        guard let listener = state.withLock({ $0.listeners[token] }) else { return }
        let next = listener.serve()
        guard next != .watch else { return }
        _ = cjail_watch_remove(epoll, listener.descriptor)
        if case .pause(let end) = next { state.withLock { $0.paused[token] = end } }
    }

    private func finishIfIdle() -> Bool {
        state.withLock { state in
            state.finished = state.exit != nil && state.sessions.isEmpty
            return state.finished
        }
    }

    private func handle(_ token: UInt64) {
        if token == Self.controlToken { return keeperSpoke() }
        if token == Self.launcherToken { return launcherSpoke() }
        if token & Self.listenerBit != 0 { return serve(token & ~Self.listenerBit) }
        guard let session = state.withLock({ $0.sessions[token] }) else { return }
        let goesOn = session.readable()
        if let listener = session.takeListener() {
            state.withLock { $0.listeners[token] = listener }
            watch(listener, token)
        }
        if !goesOn { forget(token) }
    }

    private func forget(_ token: UInt64) {
        let (session, listener) = state.withLock { state in
            state.paused[token] = nil
            return (state.sessions.removeValue(forKey: token), state.listeners.removeValue(forKey: token))
        }
        if let listener {
            _ = cjail_watch_remove(epoll, listener.descriptor)
            listener.close()
        }
        session?.finishDenials()
    }

    private func endLateStarts() {
        let now = ContinuousClock.now
        let late = state.withLock { state in
            state.sessions.filter { $0.value.isLate(now) }
        }
        for (token, session) in late {
            session.end(timedOut: !session.hasAnswered)
            forget(token)
        }
    }

    // MARK: nexus-jail

    private func keeperSpoke() {
        switch LauncherProcess.receive(control) {
        case .nothingYet: return
        case .record: return keeperGone()
        case .handed(let handover):
            dropLauncher()
            let isWanted = state.withLock { state in
                if !state.isClosed { state.candidate = handover.descriptor }
                return !state.isClosed
            }
            // Closed, it ends that launcher, and the keeper after it.
            guard isWanted else { return _ = Glibc.close(handover.descriptor) }
            _ = cjail_watch_add(epoll, handover.descriptor, Self.launcherToken)
            if let loss = handover.loss { lossEvents.yield(loss) }
        }
    }

    /// It greets and says nothing more, so whatever else arrives is its end.
    private func launcherSpoke() {
        let (candidate, connection) = state.withLock { ($0.candidate, $0.connection) }
        guard candidate >= 0 || connection != nil else { return }
        switch LauncherProcess.read(candidate >= 0 ? candidate : connection?.descriptor ?? -1) {
        case .nothingYet: return
        case .record(let record?) where candidate >= 0:
            guard let greeted = LauncherConnection(candidate, greeting: record) else { return dropLauncher() }
            let isWanted = state.withLock { state in
                state.candidate = -1
                state.connection = greeted
                state.identity = greeted.identity
                return !state.isClosed
            }
            if !isWanted { close() }
        default: dropLauncher()
        }
    }

    private func dropLauncher() {
        let (candidate, connection) = state.withLock { state in
            defer { (state.candidate, state.connection) = (-1, nil) }
            return (state.candidate, state.connection)
        }
        if let connection { _ = cjail_watch_remove(epoll, connection.descriptor) }
        guard candidate >= 0 else { return }
        _ = cjail_watch_remove(epoll, candidate)
        _ = Glibc.close(candidate)
    }

    private func keeperGone() {
        _ = cjail_watch_remove(epoll, control)
        shutdown(control, Int32(SHUT_RDWR))
        dropLauncher()
        let pid = keeper
        var status: Int32 = 0
        var result: Int32
        repeat { result = waitpid(pid, &status, 0) } while result < 0 && errno == EINTR
        let exit: JailExit = result != pid ? .lost : JailExit(waitStatus: status)
        let waiters = state.withLock { state in
            state.exit = exit
            defer { state.exitWaiters = [] }
            return state.exitWaiters
        }
        lossEvents.finish()
        for waiter in waiters { waiter.resume(returning: exit) }
    }
}

private final class StartOutcome: Sendable { let result = Mutex<Result<LauncherProcess.Started, JailError>?>(nil) }

/// A semaphore that lives as long as both threads need it.
private final class StartSemaphore: @unchecked Sendable {
    // SAFETY: sem_post and sem_wait are made to be called from different threads on the same memory.
    private let memory = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    init() { sem_init(memory, 0, 0) }
    deinit {
        sem_destroy(memory)
        memory.deallocate()
    }
    func signal() { sem_post(memory) }
    func wait() { while sem_wait(memory) != 0 && errno == EINTR {} }
}

/// A detached POSIX thread with a Swift body and every signal blocked.
private final class ThreadBody: Sendable {
    private let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func run() -> Bool {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_SETMASK, &all, nil)
                Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().body()
                return nil
            }, context.toOpaque())
        if failure != 0 {
            context.release()
            errno = failure
            return false
        }
        pthread_detach(thread)
        return true
    }
}
