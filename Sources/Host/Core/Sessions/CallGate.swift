internal import Synchronization

/// Lets as many calls into one instance at once as its manifest allows; later ones wait in order.
final class CallGate: Sendable {
    private struct Waiter {
        var number: UInt64
        var resume: CheckedContinuation<HostError?, Never>
    }
    private struct State {
        var open = 0
        var next: UInt64 = 0
        var waiters: [Waiter] = []
    }
    private let state = Mutex(State())
    private let plugin: String
    private let limit: Int

    init(plugin: String, limit: Int) {
        self.plugin = plugin
        self.limit = limit
    }

    /// How many calls wait.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Runs a call once there is room for it.
    ///
    /// - Parameter deadline: of the call, absolute, in Unix milliseconds; waiting counts.
    /// - Throws: `unavailable` when too many wait, `deadlineExceeded`, or `cancelled`; the call was not made then.
    func enter<Value: Sendable>(
        before deadline: UInt64, _ body: () async throws(HostError) -> Value
    ) async throws(HostError) -> Value {
        if let refusal = await wait(until: deadline) { throw refusal }
        defer { leave() }
        return try await body()
    }

    private func wait(until deadline: UInt64) async -> HostError? {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let timer: Mutex<Task<Void, any Error>?> = Mutex(nil)
        defer { timer.withLock { $0?.cancel() } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: HostError?? = state.withLock { state in
                    if state.open < limit {
                        state.open += 1
                        return .some(nil)
                    }
                    guard state.waiters.count < HostLimits.queuedCalls else { return .some(full) }
                    state.waiters.append(Waiter(number: number, resume: continuation))
                    return nil
                }
                if let answer { return continuation.resume(returning: answer) }
                // Only now: neither a deadline nor a cancellation that came before would have found this waiter.
                timer.withLock { $0 = expire(number, deadline) }
                if Task.isCancelled { withdraw(number, Self.cancelled) }
            }
        } onCancel: {
            withdraw(number, Self.cancelled)
        }
    }

    private func expire(_ number: UInt64, _ deadline: UInt64) -> Task<Void, any Error> {
        Task { [self] in
            let now = Clock.unixMilliseconds()
            try await Task.sleep(for: .milliseconds(deadline > now ? deadline - now : 0))
            withdraw(
                number,
                HostError(
                    .deadlineExceeded, "the plugin \(plugin) was busy until the call's deadline", retryable: true))
        }
    }

    private static let cancelled = HostError(HostError.Code("cancelled"), "the caller cancelled the call")

    private var full: HostError {
        HostError(
            .unavailable,
            "\(HostLimits.queuedCalls) calls wait for the plugin \(plugin), which serves \(limit) at once; try again",
            retryable: true)
    }

    private func withdraw(_ number: UInt64, _ error: HostError) {
        let waiter: Waiter? = state.withLock { state in
            state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
        }
        waiter?.resume.resume(returning: error)
    }

    private func leave() {
        let next: Waiter? = state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.open -= 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume.resume(returning: nil)
    }
}
