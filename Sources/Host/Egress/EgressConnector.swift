internal import NIOCore
internal import NIOPosix

/// Resolves once, checks every address, connects to a checked address and asks the kernel who the peer is.
public struct EgressConnector: Sendable {
    /// Every address of a name. Blocks; it is called off the event loops.
    public typealias Resolver = @Sendable (String) -> [NetworkAddress]

    /// The addresses of this machine's own interfaces, at the time of asking.
    public typealias OwnAddresses = @Sendable () throws(EgressRefusal) -> [NetworkAddress]

    private let lookups: NameLookups
    private let own: OwnAddresses
    /// Of a host with many addresses, how many are tried.
    static let triedAddresses = 4

    public init(
        resolver: @escaping Resolver = { NetworkAddress.resolve($0) },
        own: @escaping OwnAddresses = { () throws(EgressRefusal) in try NetworkAddress.ofThisMachine() }
    ) {
        (lookups, self.own) = (NameLookups(resolver), own)
    }

    /// - Parameter milliseconds: how long the name may take.
    /// - Returns: the addresses that may be connected to. The name is asked for once; nothing asks again later.
    /// - Throws: `EgressRefusal` with `address` or `unreachable`.
    public func addresses(
        of target: EgressTarget, under rule: EgressRule, within milliseconds: Int64
    ) async throws(EgressRefusal)
        -> [NetworkAddress]
    {
        if let literal = target.host.literal { return try foreign([literal], target.host, under: rule) }
        let host = target.host.text
        guard let found = await lookups.addresses(of: host, within: milliseconds) else {
            throw EgressRefusal(.unreachable, "\(host) could not be resolved within \(milliseconds) ms")
        }
        return try foreign(found, target.host, under: rule)
    }

    /// Public, and not this very machine, whose services trust whoever comes from it.
    private func foreign(
        _ addresses: [NetworkAddress], _ host: HostName, under rule: EgressRule
    ) throws(EgressRefusal) -> [NetworkAddress] {
        let checked = try rule.checked(addresses, of: host)
        // Loopback is this machine's and was asked for: what else there is has been refused.
        guard checked.contains(where: { $0.verdict == .global }) else { return checked }
        let own = Set(try own())
        if let address = checked.first(where: own.contains) {
            throw EgressRefusal(
                .address, "\(host) is \(address), an address of this very machine; plugins reach other machines only")
        }
        return checked
    }

    /// How one attempt on one checked address went.
    public enum Attempt<Connection: Sendable>: Sendable {
        case connected(Connection)
        /// Something answered that is not that address.
        case wrongPeer
        case failed(String)
    }

    /// Resolves and checks, then tries up to four of the addresses with `open` until the time is over.
    ///
    /// - Parameter open: connects to this address within so many milliseconds, and asks the kernel who the peer is.
    /// - Throws: `EgressRefusal` with `address`, or `unreachable` when nobody answered in time.
    public func connect<Connection: Sendable>(
        to target: EgressTarget, under rule: EgressRule, milliseconds: Int64,
        by open: @Sendable (NetworkAddress, Int64) async -> Attempt<Connection>
    ) async throws(EgressRefusal) -> Connection {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        let checked = try await addresses(of: target, under: rule, within: milliseconds)
        var last = "no answer within \(milliseconds) ms"
        for address in checked.prefix(Self.triedAddresses) {
            let left = (end - .now) / .milliseconds(1)
            guard left >= 1, !Task.isCancelled else { break }
            switch await open(address, Int64(left)) {
            case .connected(let connection): return connection
            case .wrongPeer:
                throw EgressRefusal(.address, "the connection for \(target) did not reach \(address)")
            case .failed(let reason): last = reason
            }
        }
        throw EgressRefusal(.unreachable, "\(target) could not be reached: \(last)")
    }

    /// The same with a channel on an event loop, which reads nothing before it is told to.
    ///
    /// - Throws: `EgressRefusal` with `address` or `unreachable`.
    func connect(
        to target: EgressTarget, under rule: EgressRule, milliseconds: Int64, on loop: any EventLoop
    ) async throws(EgressRefusal) -> any Channel {
        try await connect(to: target, under: rule, milliseconds: milliseconds) { address, left in
            do {
                let socket = try SocketAddress(ipAddress: address.description, port: Int(target.port))
                let channel = try await ClientBootstrap(group: loop).connectTimeout(.milliseconds(left))
                    .channelOption(.allowRemoteHalfClosure, value: true).channelOption(.autoRead, value: false)
                    .connect(to: socket).get()
                guard channel.remoteAddress == socket else {
                    channel.close(promise: nil)
                    return .wrongPeer
                }
                return .connected(channel)
            } catch let error as ChannelError {
                if case .connectTimeout = error { return .failed("no answer within \(milliseconds) ms") }
                return .failed("\(error)")
            } catch {
                return .failed((error as? IOError).map { "errno \($0.errnoCode)" } ?? "\(error)")
            }
        }
    }
}
