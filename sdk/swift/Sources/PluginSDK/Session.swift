#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// One conversation with the host, from hello to disposed.
///
/// One thread reads: the one that calls `run`. Handlers of waiting tools run there too, one at a time; when one waits
/// for the host, the frames that come meanwhile are handled there, but for calls to waiting tools, which queue up.
/// Tasks of asynchronous tools come in from elsewhere. All state is behind `lock`; every frame, sent or received, is
/// first judged by the ABI's `Lifecycle`.
package final class Session: @unchecked Sendable {
    let plugin: Plugin
    let link: any FrameLink
    private let lock = Lock()
    private(set) var thread: CurrentThread?
    /// What has to wait until the lock is free again: to cancel a task runs code that may ask for it.
    var afterwards: [() -> Void] = []

    var lifecycle = Lifecycle()
    /// The longest body that the host takes, in bytes.
    var outgoingLimit = ABILimits.handshakeBodyBytes
    /// Calls without a terminal frame, by stream.
    var calls: [UInt64: ToolCall] = [:]
    /// What the host sent to configure the plugin, until the plugin has seen it.
    var configuration: [UInt8]?
    /// Streams of calls to waiting tools, in the order in which they came, until their handlers run.
    var queue: [UInt64] = []
    /// Host calls without an answer, by stream.
    var hostCalls: [UInt64: HostCall] = [:]
    var nextHostStream: UInt64 = 2
    /// The highest stream that the host has opened.
    var lastCallStream: UInt64 = 0
    /// Set once the host asked to stop: until when calls in flight may go on, Unix time in milliseconds.
    var drainDeadline: UInt64?
    /// Why the session cannot go on. A handler may swallow the error that it sees; the session does not.
    var failure: SessionError?
    /// Frames for streams that had already ended. They cross on the wire and mean nothing.
    var lateFrames = 0
    /// Log records that were left out because the host took none.
    var lostRecords = 0
    /// Numbers the waits for credit.
    var lastTicket = 0

    /// A request of a call to the host. The answer is either taken from `answer` or given to `resume`.
    struct HostCall {
        var parent: ToolCall
        var answer: Result<Message.Payload, ToolError>?
        var resume: ((Result<Message.Payload, ToolError>) -> Void)?
    }

    package init(plugin: Plugin, link: any FrameLink) {
        self.plugin = plugin
        self.link = link
    }

    /// - Throws: `SessionError` unless the host disposed of the plugin.
    package func run() throws(SessionError) {
        thread = CurrentThread()
        do {
            try converse()
            try link.finish()
        } catch {
            if case .protocolBroken(let cause) = error {
                // Best effort: whoever broke the protocol may not be reading.
                let told = ToolError(cause.code, cause.message).clipped
                try? link.send(Message.abort(ABIError(told.code, told.message)).frame())
                try? link.finish()
            }
            guarded { abandonAll(error) }
            throw error
        }
    }

    /// True on the thread that reads the socket.
    var isOnItsThread: Bool { thread?.isCurrent == true }

    /// Holds the lock, and afterwards does what had to wait for its end.
    func guarded<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock.lock()
        defer {
            let actions = afterwards
            afterwards.removeAll()
            lock.unlock()
            for action in actions { action() }
        }
        return try body()
    }

    private enum Step {
        case initialize([UInt8])
        case serve(ToolCall)
        case receive(before: UInt64?)
        case end
    }

    private func converse() throws(SessionError) {
        if let mistake = plugin.duplicates.first { throw .notStarted(mistake) }
        if plugin.connector != nil || plugin.tools.contains(where: \.isConcurrent) { try link.share() }
        try guarded { () throws(SessionError) in
            try send(.hello(versions: .supported, name: plugin.name, sdk: Self.sdk))
        }
        plugin.journal.attach(self)
        plugin.connector?.attach(self)
        while true {
            switch try guarded({ () throws(SessionError) in try nextStep() }) {
            case .initialize(let configuration): try initialize(configuration)
            case .serve(let call): serve(call)
            case .receive(let deadline):
                if try !receiveOne(before: deadline) { guarded { expire() } }
            case .end: return
            }
        }
    }

    private func nextStep() throws(SessionError) -> Step {
        if let failure { throw failure }
        if lifecycle.state == .disposed { return .end }
        if let configuration {
            self.configuration = nil
            return .initialize(configuration)
        }
        if !queue.isEmpty {
            // Read what is there before each call, so that a queued one can still be cancelled.
            while var frame = try waitingFrame() { try handle(&frame) }
            if lifecycle.state == .disposed { return .end }
            if !queue.isEmpty, let call = calls[queue.removeFirst()] { return .serve(call) }
        }
        try settle()
        return .receive(before: nextDeadline)
    }

    /// A frame that has already arrived.
    private func waitingFrame() throws(SessionError) -> Frame? {
        switch try link.receive(before: 0) {
        case .frame(let frame): return frame
        case .nothingYet: return nil
        case .closed: throw .hostGone
        }
    }

    /// Handles every frame that has already arrived. On the session's thread only.
    func receiveWaiting() throws(SessionError) {
        while try receiveOne(before: 0) {}
    }

    /// Handles one frame; false if the deadline came first. On the session's thread only.
    func receiveOne(before deadline: UInt64?) throws(SessionError) -> Bool {
        switch try link.receive(before: deadline) {
        case .frame(var frame): try guarded { () throws(SessionError) in try handle(&frame) }
        case .nothingYet: return false
        case .closed: throw .hostGone
        }
        return true
    }

    /// Judges and sends. The caller holds the lock, so that frames leave in the order in which they were judged.
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

    /// The same for callers who cannot throw: the session ends at its next step.
    func sendOrFail(_ message: Message, stream: UInt64 = 0) {
        guard failure == nil else { return }
        do {
            try send(message, stream: stream)
        } catch {
            failure = error
        }
    }

    static let sdk = "swift/0.1.0"
}
