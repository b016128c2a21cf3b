internal import JSONBytes

/// Every limit of the MCP surface.
enum MCPLimits {
    /// Of one message, envelope and arguments together.
    static let messageBytes = 4 << 20
    static let json = JSONLimits(bytes: messageBytes, depth: 64, values: 200_000)
    /// Of a request's id when it is a string: ids are echoed.
    static let idBytes = 256
    /// How long a client may keep the list of tools: an installed plugin shows up after this.
    static let toolsTimeToLiveMilliseconds = 5_000
    static let discoveryTimeToLiveMilliseconds = 60_000
    /// How long a call that was made again waits for the form that it needs; clients wait 60 s for a call.
    static let elicitationWaitMilliseconds: UInt64 = 45_000
    /// Of a `requestState`, which is ours.
    static let requestStateBytes = 8 << 10
    /// Events beside the announcement that wait for one listener; the oldest goes first.
    static let waitingEvents = 16
    /// Between two notifications of one call's progress.
    static let progressMilliseconds = 50
    /// Streams of agents that listen for changes: in all, and of one actor, whose agents may be many.
    static let listeners = 256
    static let listenersOfOneActor = 64
    /// After this much silence a stream says that it is still there.
    static let keepAliveMilliseconds = 15_000
}
