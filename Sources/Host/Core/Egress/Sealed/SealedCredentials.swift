internal import PluginABI
internal import Synchronization

/// The sealed credentials of one call. The plugin never gets them: host services use them in its name, until the call
/// has ended. They are overwritten when the last of these services is done.
final class SealedCredentials: Sendable {
    private struct State: Sendable {
        var values: [Credential]
        var redactor: Redactor?
    }
    private let state: Mutex<State>

    /// Nil for none.
    init?(_ credentials: [Credential]) {
        guard !credentials.isEmpty else { return nil }
        state = Mutex(State(values: credentials))
    }

    /// Nil once the call has ended, and for what its tool does not declare.
    subscript(_ name: String) -> SecretBytes? { state.withLock { $0.values.first { $0.name == name }?.value } }

    /// Knows these values in every form, so that no answer brings one to the plugin. To be asked for before a request
    /// is sent: it takes some time to learn them, which a call without requests need not spend.
    var redactor: Redactor {
        state.withLock { state in
            if let redactor = state.redactor { return redactor }
            let redactor = Redactor()
            redactor.learn(state.values)
            state.redactor = redactor
            return redactor
        }
    }

    /// Ends it.
    func drop() { state.withLock { $0.values = [] } }
}
