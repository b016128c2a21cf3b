/// The kind byte of a frame (abi-v1.md section 4). Values are for ever; gaps are reserved.
public enum FrameKind: UInt8, Sendable, CaseIterable {
    case hello = 1
    case welcome = 2
    case abort = 3
    case initialize = 16
    case initialized = 17
    case start = 18
    case started = 19
    case stop = 20
    case stopped = 21
    case dispose = 22
    case disposed = 23
    case ping = 24
    case pong = 25
    case call = 32
    case result = 33
    case error = 34
    case cancelled = 35
    case cancel = 36
    case progress = 37
    case data = 38
    case credit = 39
    case tools = 40
    case hostCall = 48
    case log = 64

    /// True for the three kinds that end a stream.
    public var isTerminal: Bool { self == .result || self == .error || self == .cancelled }

    /// The only side that may send it; nil where both may.
    public var sender: Side? {
        switch self {
        case .welcome, .initialize, .start, .stop, .dispose, .call, .credit: .host
        case .hello, .initialized, .started, .stopped, .disposed, .progress, .data, .tools, .hostCall, .log:
            .plugin
        case .abort, .ping, .pong, .result, .error, .cancelled, .cancel: nil
        }
    }
}

/// The two ends of a session.
public enum Side: String, Sendable, CaseIterable {
    case host
    case plugin

    /// Whose streams a stream belongs to: odd are the host's, even the plugin's, 0 is nobody's.
    public init?(owning stream: UInt64) {
        guard stream > 0 else { return nil }
        self = stream % 2 == 1 ? .host : .plugin
    }
}
