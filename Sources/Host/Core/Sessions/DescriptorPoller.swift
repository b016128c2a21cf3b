// The thread between the kernel and the sessions. What runs here must not block: no database, no disk, no schema.
internal import CJail
internal import Glibc
internal import Synchronization

/// One thread that waits for every plugin's socket and pipe (epoll(7)) and for deadlines, and tells their owners. It is
/// also an executor: a task that prefers it goes on right after the read that brought its answer, without waking
/// another thread.
///
/// A turn is bounded, so that a plugin that never stops talking delays no other: each descriptor is read once, and of
/// the tasks those that were ready before the turn's tasks began. What they send goes out at the end of the turn; where
/// plugins answer from another processor, after every few tasks, so that both sides work at the same time.
public final class DescriptorPoller: TaskExecutor {
    struct Interest: OptionSet, Sendable {
        let rawValue: UInt32
        static let readable = Interest(rawValue: EPOLLIN.rawValue)
        static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    }
    typealias Timer = TimerQueue<Work>.Key
    typealias Work = @Sendable () -> Void
    /// `room` is the poller's, for the time of the call: read into it, and wipe what was filled.
    typealias Handler = @Sendable (_ interest: Interest, _ room: UnsafeMutableRawBufferPointer) -> Void

    private struct State {
        var handlers: [UInt64: Handler] = [:]
        /// 0 is the poller's own descriptor.
        var next: UInt64 = 1
        var jobs: [UnownedJob] = []
        var endOfTurn: [Handler] = []
        var timers = TimerQueue<Work>()
        /// Until when the thread sleeps, in nanoseconds; nil while it is awake.
        var sleepsUntil: UInt64?
    }
    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    private static let tasksBeforeSending = 8
    private let epoll: Int32
    /// Of the sessions whose sockets these are.
    let health = HealthTimer()
    private let bell: Int32

    public init() throws(HostError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, bell >= 0 else {
            throw HostError(.storageFailed, "no descriptors for epoll(7): errno \(errno); raise `ulimit -n`")
        }
        // Edge-triggered: it need not be read to be silent.
        var event = epoll_event(events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: 0))
        epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event)
        let start = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                context.map { Unmanaged<DescriptorPoller>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw HostError(.storageFailed, "no thread for the plugins' sockets: errno \(status)")
        }
        pthread_detach(thread)
    }

    // MARK: descriptors

    /// Watches a descriptor, level-triggered. The ticket, not the descriptor, names the watch: numbers are used again.
    func watch(_ descriptor: Int32, _ handler: @escaping Handler) -> UInt64 {
        let ticket = state.withLock { state in
            defer { state.next += 1 }
            state.handlers[state.next] = handler
            return state.next
        }
        control(EPOLL_CTL_ADD, descriptor, .readable, ticket)
        return ticket
    }

    func change(_ descriptor: Int32, _ ticket: UInt64, to interest: Interest) {
        control(EPOLL_CTL_MOD, descriptor, interest, ticket)
    }

    /// Stops the watch; call before close(2).
    func forget(_ descriptor: Int32, _ ticket: UInt64) {
        control(EPOLL_CTL_DEL, descriptor, [], ticket)
        _ = state.withLock { $0.handlers.removeValue(forKey: ticket) }
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ interest: Interest, _ ticket: UInt64) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: ticket))
        epoll_ctl(epoll, operation, descriptor, &event)
    }

    // MARK: work

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isAsleep = state.withLock { state in
            state.jobs.append(job)
            return state.sleepsUntil.take() != nil
        }
        if isAsleep { eventfd_write(bell, 1) }
    }

    /// Does something on this thread, once; it must not block.
    ///
    /// - Parameter due: on `Clock.monotonicNanoseconds`.
    func timer(at due: UInt64, _ work: @escaping Work) -> Timer {
        let (timer, isTooLate) = state.withLock { state in
            let timer = state.timers.add(due, work)
            guard let until = state.sleepsUntil, due < until else { return (timer, false) }
            state.sleepsUntil = nil
            return (timer, true)
        }
        if isTooLate { eventfd_write(bell, 1) }
        return timer
    }

    func timer(afterMilliseconds milliseconds: UInt64, _ work: @escaping Work) -> Timer {
        timer(at: Clock.monotonicNanoseconds() + min(milliseconds, HostLimits.timerMilliseconds) * 1_000_000, work)
    }

    func cancel(_ timer: Timer) { state.withLock { $0.timers.cancel(timer) } }

    /// Does something once this turn's tasks have run. False on any other thread than this one: do it there, at once.
    func atEndOfTurn(_ work: @escaping Handler) -> Bool {
        guard thread.load(ordering: .relaxed) == pthread_self() else { return false }
        state.withLock { $0.endOfTurn.append(work) }
        return true
    }

    // MARK: the thread

    private func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        var busyWait = BusyWait()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: HostLimits.readBytes, alignment: 64)
        while true {
            let count = wait(&events, &busyWait)
            guard count >= 0 || errno == EINTR else { return }
            for event in events.prefix(Int(max(count, 0))) where event.data.u64 != 0 {
                let handler = state.withLock { $0.handlers[event.data.u64] }
                // An error or hang-up is seen by the read that follows.
                let hungUp = event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
                handler?(Interest(rawValue: event.events).union(hungUp ? .readable : []), room)
            }
            runTimers()
            runJobs(room, sendingEarly: busyWait.isWorthwhile)
            endTurn(room)
        }
    }

    /// As epoll_wait(2), until there is something to do.
    private func wait(_ events: inout [epoll_event], _ busyWait: inout BusyWait) -> Int32 {
        let size = Int32(events.count)
        let looks = busyWait.isWorthwhile
        if looks {
            let end = Clock.monotonicNanoseconds() + BusyWait.window
            repeat {
                let count = epoll_wait(epoll, &events, size, 0)
                if count != 0 || state.withLock({ !$0.jobs.isEmpty }) {
                    busyWait.found()
                    return count
                }
            } while Clock.monotonicNanoseconds() < end
            busyWait.lookedInVain()
        }
        let timeout = patience()
        guard timeout != 0 else { return epoll_wait(epoll, &events, size, 0) }
        let start = Clock.monotonicNanoseconds()
        let count = epoll_wait(epoll, &events, size, timeout)
        state.withLock { $0.sleepsUntil = nil }
        if !looks { busyWait.slept(Clock.monotonicNanoseconds() - start) }
        return count
    }

    /// How long to sleep, in milliseconds for epoll_wait(2); -1 until something comes.
    private func patience() -> Int32 {
        state.withLock { state in
            guard state.jobs.isEmpty else { return 0 }
            guard let due = state.timers.first else {
                state.sleepsUntil = .max
                return -1
            }
            let now = Clock.monotonicNanoseconds()
            state.sleepsUntil = due
            // Rounded up: a timer is never early.
            return due > now ? Int32(clamping: (due - now) / 1_000_000 + 1) : 0
        }
    }

    private func runTimers() {
        guard state.withLock({ $0.timers.first }) != nil else { return }
        let now = Clock.monotonicNanoseconds()
        while let work = state.withLock({ $0.timers.take(now: now) }) { work() }
    }

    private func runJobs(_ room: UnsafeMutableRawBufferPointer, sendingEarly: Bool) {
        for (number, job) in state.withLock({ take(&$0.jobs) }).enumerated() {
            if sendingEarly, number > 0, number.isMultiple(of: Self.tasksBeforeSending) { endTurn(room) }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    private func endTurn(_ room: UnsafeMutableRawBufferPointer) {
        for work in state.withLock({ take(&$0.endOfTurn) }) { work([], room) }
    }

    private func take<Element>(_ list: inout [Element]) -> [Element] {
        guard !list.isEmpty else { return [] }
        defer { list = [] }
        return list
    }
}
