internal import Synchronization

/// What one plugin may use of the network. Units in the names.
public struct EgressQuota: Sendable, Equatable {
    /// Connections open at once, being opened included.
    public var connections: Int
    /// Both directions together, in any one minute.
    public var bytesPerMinute: Int
    /// From the name to a connected socket, resolving included.
    public var connectMilliseconds: Int64
    /// Without a byte in either direction.
    public var idleMilliseconds: Int64
    /// However busy it is.
    public var overallMilliseconds: Int64
    /// From accepting a client of the proxy to the end of its request's head.
    public var headMilliseconds: Int64
    /// Connections begun in any one minute, whatever became of them; for those whose end the host does not see.
    public var connectionsPerMinute = Int.max

    /// 32 connections, 256 MiB a minute, 10 s to connect, 2 minutes idle, an hour in all, 10 s for a head.
    public static let standard = EgressQuota(
        connections: 32, bytesPerMinute: 256 << 20, connectMilliseconds: 10_000, idleMilliseconds: 120_000,
        overallMilliseconds: 3_600_000, headMilliseconds: 10_000)

    public init(
        connections: Int, bytesPerMinute: Int, connectMilliseconds: Int64, idleMilliseconds: Int64,
        overallMilliseconds: Int64, headMilliseconds: Int64
    ) {
        self.connections = connections
        self.bytesPerMinute = bytesPerMinute
        self.connectMilliseconds = connectMilliseconds
        self.idleMilliseconds = idleMilliseconds
        self.overallMilliseconds = overallMilliseconds
        self.headMilliseconds = headMilliseconds
    }
}

/// One plugin's use of its quota, whoever asks for it: `http.fetch` and the proxy share one.
public final class EgressMeter: Sendable {
    private struct State {
        var open = 0
        var minute: Int64 = -1
        var bytes = 0
        var begun = 0
    }
    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant
    private let start: ContinuousClock.Instant
    public let quota: EgressQuota
    private let plugin: String

    /// - Parameter plugin: named in refusals.
    public init(
        plugin: String, quota: EgressQuota, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.plugin = plugin
        self.quota = quota
        self.now = now
        start = now()
    }

    public var openConnections: Int { state.withLock { $0.open } }

    /// Takes one connection; `close` gives it back.
    ///
    /// - Throws: `EgressRefusal` with `quota` when as many are open as may be, or the minute's bytes or connections are
    ///   used up.
    public func open() throws(EgressRefusal) {
        let refusal: EgressRefusal? = state.withLock { state in
            renew(&state)
            if state.open >= quota.connections { return connectionsRefusal }
            if state.bytes >= quota.bytesPerMinute { return bytesRefusal }
            if state.begun >= quota.connectionsPerMinute { return begunRefusal }
            state.open += 1
            state.begun += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    public func close() { state.withLock { $0.open -= 1 } }

    /// How many bytes this minute still has.
    public var bytesLeft: Int {
        state.withLock { state in
            renew(&state)
            return max(quota.bytesPerMinute - state.bytes, 0)
        }
    }

    /// Counts bytes that went either way.
    ///
    /// - Returns: nil, or the refusal once the minute's bytes are used up; the connection has to be closed then.
    public func count(_ bytes: Int) -> EgressRefusal? {
        state.withLock { state in
            renew(&state)
            state.bytes += bytes
            return state.bytes > quota.bytesPerMinute ? bytesRefusal : nil
        }
    }

    private func renew(_ state: inout State) {
        let minute = (now() - start).components.seconds / 60
        guard minute != state.minute else { return }
        state.minute = minute
        state.bytes = 0
        state.begun = 0
    }

    private var connectionsRefusal: EgressRefusal {
        EgressRefusal(
            .quota, "\(plugin) has \(quota.connections) connections open, as many as it may; close one or try later")
    }

    private var begunRefusal: EgressRefusal {
        EgressRefusal(
            .quota,
            "\(plugin) has begun \(quota.connectionsPerMinute) connections in this minute, as many as it may; "
                + "keep one open, or try again in a minute")
    }

    private var bytesRefusal: EgressRefusal {
        EgressRefusal(
            .quota, "\(plugin) has used its \(quota.bytesPerMinute) bytes of this minute; try again in a minute")
    }
}
