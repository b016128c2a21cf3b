/// The plugin's log outside of calls. Silent until the plugin has said hello; it may be used from any thread.
public final class PluginJournal: Sendable {
    private let lock = Lock()
    nonisolated(unsafe) private weak var session: Session?

    func attach(_ session: Session) { lock.hold { self.session = session } }

    /// Writes a record to the host's log of this plugin.
    public func log(_ level: Message.LogLevel, _ message: String, _ fields: JSONValue = [:]) {
        lock.hold { session }?.log(level, message, fields, stream: 0)
    }
}
