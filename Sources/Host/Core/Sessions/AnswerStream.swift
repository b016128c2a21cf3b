// What crosses here: bytes of a plugin's answer, to a caller who takes them before the call has ended. Nothing but the
// plugin's credit bounds what waits, so credit is granted for what the caller has taken and for nothing else.
internal import PluginABI
internal import Synchronization

/// The bytes of one answer on their way to whoever made the call (`ToolRequest.stream`). One task at a time reads it.
public final class AnswerStream: Sendable {
    private enum End { case whole, broken }

    private struct State {
        /// At most the credit window, and the bytes of `result`.
        var waiting: [[UInt8]] = []
        /// Of the whole answer so far.
        var count = 0
        var end: End?
        var isOver = false
        var grant: (@Sendable (Int) -> Void)?
    }

    private enum Step {
        case bytes([UInt8], (@Sendable (Int) -> Void)?)
        case last
        case over
        case wait
    }

    private let state = Mutex(State())
    /// Only the reader takes it: what is searched for secrets must not hold up the poller's thread.
    private let redacted = Mutex<RedactedStream?>(nil)
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    public init() { (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    /// Bytes that the plugin has sent, with those that nobody has taken yet.
    public var count: Int { state.withLock { $0.count } }

    // MARK: the session's side

    /// - Parameter grant: is told how many bytes were taken.
    func begin(_ redactor: Redactor, grant: @escaping @Sendable (Int) -> Void) {
        redacted.withLock { $0 = RedactedStream(redactor) }
        state.withLock { $0.grant = grant }
    }

    func offer(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        state.withLock { state in
            state.count += bytes.count
            if state.end == nil { state.waiting.append(bytes) }
        }
        ring.yield()
    }

    // MARK: the caller's side

    /// Nothing more will come. What is held back of an answer that is not whole goes nowhere: it may be the beginning
    /// of a secret.
    public func end(isWhole: Bool) {
        state.withLock { $0.end = isWhole ? .whole : .broken }
        ring.yield()
    }

    /// Waits until there is something to read: false if it has ended without a byte, or the task is cancelled.
    public func begins() async -> Bool {
        while true {
            let (hasBytes, hasEnded) = state.withLock { (!$0.waiting.isEmpty, $0.end != nil) }
            if hasBytes || hasEnded { return hasBytes }
            guard await rung() else { return false }
        }
    }

    /// The next bytes, with no credential in them; nil at the end, and once the task is cancelled.
    public func next() async -> [UInt8]? {
        while true {
            switch state.withLock({ Self.step(&$0) }) {
            case .bytes(let bytes, let grant):
                let clean = pass(bytes)
                grant?(bytes.count)
                if !clean.isEmpty { return clean }
            case .last:
                let rest = pass([], isLast: true)
                return rest.isEmpty ? nil : rest
            case .over: return nil
            case .wait: guard await rung() else { return nil }
            }
        }
    }

    private static func step(_ state: inout State) -> Step {
        if !state.waiting.isEmpty {
            // All of them at once: they are searched together.
            let bytes = state.waiting.count == 1 ? state.waiting[0] : Array(state.waiting.joined())
            state.waiting = []
            return .bytes(bytes, state.grant)
        }
        guard let end = state.end else { return .wait }
        defer { state.isOver = true }
        return end == .whole && !state.isOver ? .last : .over
    }

    private func pass(_ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
        redacted.withLock { $0?.pass(bytes, isLast: isLast) ?? bytes }
    }

    /// - Returns: false if the task was cancelled.
    private func rung() async -> Bool {
        for await _ in bell { return true }
        return false
    }
}

extension PluginSession {
    /// Connects a call's stream, if it has one, with its reader: what was taken may come again. Within the lock.
    func connect(_ context: CallContext, _ stream: UInt64) {
        context.stream?.begin(context.redactor) { [weak self] count in
            self?.state.withLock { state in
                guard let self, state.end == nil, let more = state.core.taken(count, of: stream) else { return }
                self.transmit(Message.credit(bytes: more).encoded(stream: stream), &state)
            }
        }
    }
}
