// What crosses here: connections from inside a jail, accepted on a socket that was made in the jail's own network
// namespace, so that nobody else can reach it. Each says CONNECT host:port and gets that connection or a refusal. The
// jail holds no relay and no credential of the proxy; the namespace says who the client is.
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The HTTP CONNECT proxy of one jail.
public final class EgressProxy: Sendable {
    /// What was refused, for the log.
    public struct Denial: Sendable, Equatable {
        /// `HOST:PORT`; nil when the request named none.
        public var target: String?
        public var refusal: EgressRefusal
    }

    public struct Settings: Sendable {
        public var allow: EgressAllowList
        public var meter: EgressMeter
        public var connector: EgressConnector
        /// Ends the sentence of a refusal: what would allow the target.
        public var remedy: @Sendable (EgressTarget) -> String
        public var denied: @Sendable (Denial) -> Void

        public init(
            allow: EgressAllowList, meter: EgressMeter, connector: EgressConnector = EgressConnector(),
            remedy: @escaping @Sendable (EgressTarget) -> String,
            denied: @escaping @Sendable (Denial) -> Void = { _ in }
        ) {
            self.allow = allow
            self.meter = meter
            self.connector = connector
            self.remedy = remedy
            self.denied = denied
        }
    }

    private let channel: any Channel
    private let open: OpenChannels

    private init(channel: any Channel, open: OpenChannels) {
        self.channel = channel
        self.open = open
    }

    /// Serves a listening socket with `nexus sandbox run`'s rules and the standard quota.
    ///
    /// - Parameter listener: from `Jail.takeProxySocket()`; the proxy closes it.
    public static func serve(
        listener: Int32, allow: EgressAllowList, denied: @escaping @Sendable (Denial) -> Void
    ) async throws -> EgressProxy {
        try await serve(
            listener: listener,
            Settings(
                allow: allow, meter: EgressMeter(plugin: "the program", quota: .standard),
                remedy: { "--allow-net \($0) would allow it" }, denied: denied))
    }

    /// Serves a listening socket until `shutDown`.
    public static func serve(listener: Int32, _ settings: Settings) async throws -> EgressProxy {
        let open = OpenChannels()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(ConnectHandler(settings, open))
                }
            }
            .withBoundSocket(listener).get()
        return EgressProxy(channel: channel, open: open)
    }

    /// Stops listening and closes every connection.
    public func shutDown() async {
        try? await channel.close()
        await open.closeAll()
    }
}

/// The connections of one proxy, so that none outlives it.
final class OpenChannels: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]?>([:])

    /// Closes the channel at once if the proxy is shutting down, or has as many.
    ///
    /// - Parameter limit: of clients and the servers that they are connected to, together.
    func add(_ channel: any Channel, limit: Int = .max) {
        let id = ObjectIdentifier(channel)
        let isOpen = channels.withLock { channels in
            guard let count = channels?.count, count < limit else { return false }
            channels?[id] = channel
            return true
        }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.channels.withLock { _ = $0?.removeValue(forKey: id) }
        }
        if !isOpen { channel.close(promise: nil) }
    }

    func closeAll() async {
        let all = channels.withLock { channels in
            defer { channels = nil }
            return channels.map { Array($0.values) } ?? []
        }
        for channel in all { try? await channel.close() }
    }
}
