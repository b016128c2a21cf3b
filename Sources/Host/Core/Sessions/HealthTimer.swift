internal import Synchronization

/// One timer for the health of every session: a task for each would be five hundred of them. It runs while there are
/// sessions, and holds none of them.
final class HealthTimer: Sendable {
    private struct Entry { weak var session: PluginSession? }
    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var runs = false
    }
    private let state = Mutex(State())

    func watch(_ session: PluginSession) {
        let begins = state.withLock { state in
            state.entries[ObjectIdentifier(session)] = Entry(session: session)
            defer { state.runs = true }
            return !state.runs
        }
        guard begins else { return }
        Task {
            repeat { try? await Task.sleep(for: .milliseconds(HostLimits.pingMilliseconds)) } while self.tick()
        }
    }

    func forget(_ session: PluginSession) {
        _ = state.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(session)) }
    }

    /// Whether to go on.
    private func tick() -> Bool {
        let sessions: [PluginSession] = state.withLock { state in
            state.entries = state.entries.filter { $0.value.session != nil }
            state.runs = !state.entries.isEmpty
            return state.entries.values.compactMap(\.session)
        }
        for session in sessions { session.checkHealth() }
        return !sessions.isEmpty
    }
}
