internal import Synchronization

/// Tells whoever listens that the tools which agents are offered have changed; what they are now, the catalog says.
final class ToolChanges: Sendable {
    private struct State {
        var next = 0
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// One element for every change from now on. Changes that come before the last one was taken are one.
    func stream() -> AsyncStream<Void> {
        let (changes, listener) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = listener
            return state.next
        }
        listener.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return changes
    }

    func announce() {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
    }

    var listenerCount: Int { state.withLock { $0.listeners.count } }
}
