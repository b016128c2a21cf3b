internal import Sandbox
internal import Synchronization

/// The refused system calls of one instance on their way to the plugin's log and the audit log.
///
/// The jail's thread hands each in while the plugin still waits for its answer, so the call that it belongs to is known
/// and told before it can end. What may block is done by a task of its own.
final class DenialFeed: Sendable {
    typealias Entry = (denial: Denial, context: CallContext?)
    private let plugin: String
    private let instance: String
    private let session: Mutex<PluginSession?> = Mutex(nil)
    private let entries: AsyncStream<Entry>
    private let continuation: AsyncStream<Entry>.Continuation

    init(plugin: String, instance: String) {
        self.plugin = plugin
        self.instance = instance
        (entries, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    deinit { continuation.finish() }

    /// From now on denials belong to this session's call, where it has exactly one.
    func belong(to session: PluginSession) { self.session.withLock { $0 = session } }

    /// Never blocks.
    func received(_ denial: JailDenial) {
        // One that stands for several, or comes late, may be of an earlier call.
        let isOfNow = denial.count == 1 && !denial.isHeldBack
        let context = isOfNow ? session.withLock { $0 }?.onlyCall : nil
        let denial = Denial(denial, plugin: plugin, instance: instance, in: context)
        context?.denials.keep(denial)
        continuation.yield((denial, context))
    }

    /// Begins to pass on what comes, in order, as long as there is somebody who hands in.
    func deliver(to take: @escaping @Sendable (Entry) -> Void) {
        Task { [entries] in for await entry in entries { take(entry) } }
    }

    /// The conversation is over; what still comes belongs to no call.
    func leaveSession() { session.withLock { $0 = nil } }
}
