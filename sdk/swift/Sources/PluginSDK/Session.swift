/// One conversation with the host, from hello to disposed, on one thread.
///
/// Every frame, sent or received, is first judged by the ABI's `Lifecycle`. Handlers run inside `run`; when one waits
/// for the host, the frames that come meanwhile are handled there too, but for calls, which queue up.
final class Session {
    let plugin: Plugin
    let link: any FrameLink
    var lifecycle = Lifecycle()
    /// The longest body that the host takes, in bytes.
    var outgoingLimit = ABILimits.handshakeBodyBytes
    var queue: [QueuedCall] = []
    /// The call whose handler runs.
    var active: ActiveCall?
    /// The host call that the handler waits for.
    var awaited: AwaitedAnswer?
    var nextHostStream: UInt64 = 2
    /// The highest stream that the host has opened.
    var lastCallStream: UInt64 = 0
    /// Set once the host asked to stop: until when calls in flight may go on, Unix time in milliseconds.
    var stopDeadline: UInt64?
    /// Why the session cannot go on. A handler may swallow the error that it sees; the session does not.
    var failure: SessionError?
    /// Frames for streams that had already ended. They cross on the wire and mean nothing.
    var lateFrames = 0

    struct QueuedCall {
        var stream: UInt64
        var call: Message.Call
    }

    struct ActiveCall {
        var stream: UInt64
        var isCancelled = false
    }

    struct AwaitedAnswer {
        var stream: UInt64
        var answer: Result<Message.Payload, ToolError>?
    }

    init(plugin: Plugin, link: any FrameLink) {
        self.plugin = plugin
        self.link = link
    }

    /// - Throws: `SessionError` unless the host disposed of the plugin.
    func run() throws(SessionError) {
        do {
            try converse()
        } catch {
            if case .protocolBroken(let cause) = error {
                // Best effort: whoever broke the protocol may not be reading.
                let told = ToolError(cause.code, cause.message).clipped
                try? link.send(Message.abort(ABIError(told.code, told.message)).frame())
            }
            throw error
        }
    }

    private func converse() throws(SessionError) {
        if let mistake = plugin.mistakes.first { throw .notStarted(mistake) }
        try send(.hello(versions: .supported, name: plugin.name, sdk: Self.sdk))
        while lifecycle.state != .disposed {
            // Read what is there before each call, so that a queued one can still be cancelled.
            if !queue.isEmpty { try receiveWaiting() }
            if !queue.isEmpty {
                try serve(queue.removeFirst())
            } else if lifecycle.state == .stopping {
                try send(.stopped)
                stopDeadline = nil
            } else {
                _ = try receiveOne(before: nil)
            }
        }
    }

    /// Handles every frame that has already arrived.
    func receiveWaiting() throws(SessionError) {
        while try receiveOne(before: 0) {}
    }

    /// Handles one frame; false if the deadline came first.
    func receiveOne(before deadline: UInt64?) throws(SessionError) -> Bool {
        switch try link.receive(before: deadline) {
        case .frame(var frame): try handle(&frame)
        case .nothingYet: return false
        case .closed: throw .hostGone
        }
        return true
    }

    func send(_ message: Message, stream: UInt64 = 0) throws(SessionError) {
        var frame = message.frame(stream: stream)
        defer { frame.body.wipe() }
        do {
            _ = try lifecycle.advance(on: frame.kind, stream: stream, from: .plugin)
        } catch {
            throw .notStarted("a bug of the SDK: \(error)")
        }
        try link.send(frame)
    }

    static let sdk = "swift/0.1.0"
}
