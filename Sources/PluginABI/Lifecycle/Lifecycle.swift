/// The life of one instance as a value. Host and SDK run the same table, each feeding it the frames that it sends and
/// receives; the shell around it owns sockets, processes and clocks.
public struct Lifecycle: Sendable, Equatable {
    public private(set) var state: LifecycleState = .created

    public init() {}

    /// What the shell does after a frame.
    public enum Action: Sendable, Equatable {
        /// The state changed. Wait for the peer's next word at most this long; nil: no deadline.
        case entered(LifecycleState, deadlineMilliseconds: UInt64?)
        /// A frame of a stream: hand it to whoever owns the stream.
        case deliver
    }

    /// Judges a frame that is about to be sent or was received: may this side send it, on this stream, in this state?
    /// Whether the stream is open is the shell's to know.
    ///
    /// - Throws: `unexpectedMessage` if not; the state is then `failed`.
    public mutating func advance(on kind: FrameKind, stream: UInt64, from side: Side) throws(ABIError) -> Action {
        if let sender = kind.sender, sender != side {
            throw refuse("\(kind) is the \(sender)'s to send; it came from the \(side)")
        }
        guard Self.belongs(kind, on: stream, from: side) else {
            throw refuse("\(kind) from the \(side) does not belong on stream \(stream)")
        }
        guard kind == .error else { return try advance(on: kind) }
        if stream != 0, Self.closing.contains(state) { return .deliver }
        if stream == 0, let next = Self.moves[Step(state, kind)] { return enter(next) }
        throw refuse("\(kind) on stream \(stream) is not allowed while the plugin is \(state.rawValue)")
    }

    private mutating func refuse(_ reason: String) -> ABIError {
        fail()
        return ABIError(.unexpectedMessage, reason)
    }

    /// Calls go out on a stream of one's own, answers come back on a stream of the other side's.
    private static func belongs(_ kind: FrameKind, on stream: UInt64, from side: Side) -> Bool {
        let owner = Side(owning: stream)
        return switch kind {
        case .call, .hostCall, .cancel, .credit: owner == side
        case .result, .cancelled, .progress, .data: owner != nil && owner != side
        case .error: owner == nil ? side == .plugin : owner != side
        case .log: owner != .plugin
        default: owner == nil
        }
    }

    /// Judges by state and kind alone, for a frame whose sender and stream are known to be right. An `error` is then
    /// the session's own (stream 0) where the table has a place for one, and that of a stream elsewhere.
    ///
    /// - Throws: `unexpectedMessage` if the table has no place for it; the state is then `failed`.
    public mutating func advance(on kind: FrameKind) throws(ABIError) -> Action {
        if kind == .abort, !state.isFinal { return enter(.failed) }
        if let next = Self.moves[Step(state, kind)] { return enter(next) }
        if Self.traffic[kind]?.contains(state) == true { return .deliver }
        throw refuse("\(kind) is not allowed while the plugin is \(state.rawValue)")
    }

    /// The process ended, a deadline passed, or the peer broke the rules.
    public mutating func fail() {
        if !state.isFinal { state = .failed }
    }

    private mutating func enter(_ next: LifecycleState) -> Action {
        state = next
        return .entered(next, deadlineMilliseconds: next.deadlineMilliseconds)
    }

    struct Step: Hashable, Sendable {
        var state: LifecycleState
        var kind: FrameKind
        init(_ state: LifecycleState, _ kind: FrameKind) {
            self.state = state
            self.kind = kind
        }
    }

    /// state × message → next state.
    static let moves: [Step: LifecycleState] = [
        Step(.created, .hello): .greeted,
        Step(.greeted, .welcome): .welcomed,
        Step(.welcomed, .initialize): .initializing,
        Step(.initializing, .initialized): .initialized,
        Step(.initializing, .error): .failed,
        Step(.initialized, .start): .starting,
        Step(.starting, .started): .running,
        Step(.starting, .error): .failed,
        Step(.running, .stop): .stopping,
        Step(.stopping, .stopped): .stopped,
        Step(.stopped, .start): .starting,
        Step(.welcomed, .dispose): .disposing,
        Step(.initialized, .dispose): .disposing,
        Step(.stopped, .dispose): .disposing,
        Step(.disposing, .disposed): .disposed,
    ]

    private static let alive: Set<LifecycleState> = [
        .greeted, .welcomed, .initializing, .initialized, .starting, .running, .stopping, .stopped, .disposing,
    ]

    /// While calls may be open.
    private static let serving: Set<LifecycleState> = [.running, .stopping]

    /// The end of a stream, or the wish for it, may cross a `stopped` on its way; it is late then, but no offence.
    private static let closing: Set<LifecycleState> = serving.union([.stopped])

    /// Frames that change no state, and when they may travel.
    static let traffic: [FrameKind: Set<LifecycleState>] = [
        .call: [.running],
        .result: closing,
        .error: closing,
        .cancelled: closing,
        .cancel: closing,
        .credit: closing,
        .progress: serving,
        .data: serving,
        .tools: [.starting, .running],
        .hostCall: serving,
        .log: alive,
        .ping: alive,
        .pong: alive,
    ]
}
