internal import CJail
internal import Glibc
internal import Synchronization

/// One thread that waits for every plugin's socket and pipe (epoll(7)) and tells their owners. Owners do a bounded
/// amount of work per turn, so that a plugin that never stops talking delays no other.
public final class DescriptorPoller: Sendable {
    struct Interest: OptionSet, Sendable {
        let rawValue: UInt32
        static let readable = Interest(rawValue: EPOLLIN.rawValue)
        static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    }

    private typealias Handler = @Sendable (Interest) -> Void
    private struct State {
        var handlers: [UInt64: Handler] = [:]
        var next: UInt64 = 1
    }
    private let state = Mutex(State())
    private let epoll: Int32
    /// Of the sessions whose sockets these are.
    let health = HealthTimer()

    public init() throws(HostError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw HostError(.storageFailed, "epoll_create1 failed: errno \(errno)") }
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

    /// Watches a descriptor, level-triggered. The ticket, not the descriptor, names the watch: numbers are used again.
    func watch(_ descriptor: Int32, _ handler: @escaping @Sendable (Interest) -> Void) -> UInt64 {
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

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), -1)
            guard count >= 0 || errno == EINTR else { return }
            for event in events.prefix(Int(max(count, 0))) {
                let handler = state.withLock { $0.handlers[event.data.u64] }
                // An error or hang-up is seen by the read that follows.
                let hungUp = event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
                handler?(Interest(rawValue: event.events).union(hungUp ? .readable : []))
            }
        }
    }
}
