internal import NIOPosix
internal import Synchronization

/// Asks for names on threads of its own: a name server that is silent holds one for tens of seconds (resolv.conf(5)),
/// whoever waits for it or not. Those who ask for a name while somebody else does share the answer, so that one name
/// never holds more than one thread.
final class NameLookups: Sendable {
    private typealias Waiter = CheckedContinuation<[NetworkAddress]?, Never>
    private struct State {
        var count: UInt64 = 0
        var waiting: [String: [UInt64: Waiter]] = [:]
        var asked: Set<String> = []
    }
    /// All egress shares them, for as long as the process lives.
    private static let threads = {
        let pool = NIOThreadPool(numberOfThreads: 32)
        pool.start()
        return pool
    }()
    private let state = Mutex(State())
    private let resolver: EgressConnector.Resolver

    init(_ resolver: @escaping EgressConnector.Resolver) { self.resolver = resolver }

    /// - Returns: nil when the time is over or the task was cancelled.
    func addresses(of host: String, within milliseconds: Int64) async -> [NetworkAddress]? {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        let timer: Mutex<Task<Void, any Error>?> = Mutex(nil)
        defer { timer.withLock { $0?.cancel() } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isFirst = state.withLock { state in
                    state.waiting[host, default: [:]][number] = waiter
                    return state.asked.insert(host).inserted
                }
                if isFirst { ask(host) }
                // Only now: before, neither of them would have found this waiter.
                timer.withLock { timer in
                    timer = Task { [self] in
                        try await Task.sleep(for: .milliseconds(milliseconds))
                        giveUp(number, host)
                    }
                }
                if Task.isCancelled { giveUp(number, host) }
            }
        } onCancel: {
            giveUp(number, host)
        }
    }

    private func ask(_ host: String) {
        Self.threads.submit { [self] _ in
            let found = resolver(host)
            let waiters = state.withLock { state in
                state.asked.remove(host)
                return state.waiting.removeValue(forKey: host)
            }
            for waiter in waiters?.values ?? [:].values { waiter.resume(returning: found) }
        }
    }

    private func giveUp(_ number: UInt64, _ host: String) {
        state.withLock { $0.waiting[host]?.removeValue(forKey: number) }?.resume(returning: nil)
    }
}
