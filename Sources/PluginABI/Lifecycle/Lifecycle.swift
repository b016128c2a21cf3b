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
        if stream != 0, Self.mayTravel(.error, in: state) { return .deliver }
        if stream == 0, let next = Self.next(state, kind) { return enter(next) }
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
        if let next = Self.next(state, kind) { return enter(next) }
        if Self.mayTravel(kind, in: state) { return .deliver }
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

    // The two tables are switches: a plugin of few pages would pay for a dictionary with ten more, for what hashing
    // touches of the standard library.

    /// state × message → next state.
    static func next(_ state: LifecycleState, _ kind: FrameKind) -> LifecycleState? {
        switch (state, kind) {
        case (.created, .hello): .greeted
        case (.greeted, .welcome): .welcomed
        case (.welcomed, .initialize): .initializing
        case (.initializing, .initialized): .initialized
        case (.initializing, .error): .failed
        case (.initialized, .start): .starting
        case (.starting, .started): .running
        case (.starting, .error): .failed
        case (.running, .stop): .stopping
        case (.stopping, .stopped): .stopped
        case (.stopped, .start): .starting
        case (.welcomed, .dispose): .disposing
        case (.initialized, .dispose): .disposing
        case (.stopped, .dispose): .disposing
        case (.disposing, .disposed): .disposed
        default: nil
        }
    }

    /// Frames that change no state, and when they may travel.
    static func mayTravel(_ kind: FrameKind, in state: LifecycleState) -> Bool {
        switch kind {
        case .call: state == .running
        // While calls may be open.
        case .progress, .data, .hostCall: state == .running || state == .stopping
        // The end of a stream, or the wish for it, may cross a `stopped` on its way; it is late then, but no offence.
        case .result, .error, .cancelled, .cancel, .credit:
            state == .running || state == .stopping || state == .stopped
        case .tools: state == .starting || state == .running
        case .log, .ping, .pong: state != .created && !state.isFinal
        default: false
        }
    }
}
