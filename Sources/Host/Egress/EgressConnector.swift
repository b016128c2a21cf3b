internal import NIOCore
internal import NIOPosix

/// Resolves once, checks every address, connects to a checked address and asks the kernel who the peer is.
public struct EgressConnector: Sendable {
    /// Every address of a name. Blocks; it is called off the event loops.
    public typealias Resolver = @Sendable (String) -> [NetworkAddress]

    /// The addresses of this machine's own interfaces, at the time of asking.
    public typealias OwnAddresses = @Sendable () -> [NetworkAddress]

    private let resolver: Resolver
    private let own: OwnAddresses
    /// Of a host with many addresses, how many are tried.
    static let triedAddresses = 4

    public init(
        resolver: @escaping Resolver = { NetworkAddress.resolve($0) },
        own: @escaping OwnAddresses = { NetworkAddress.ofThisMachine() }
    ) {
        (self.resolver, self.own) = (resolver, own)
    }

    /// - Returns: the addresses that may be connected to. The name is asked for once; nothing asks again later.
    /// - Throws: `EgressRefusal` with `address` or `unreachable`.
    public func addresses(
        of target: EgressTarget, under rule: EgressRule
    ) async throws(EgressRefusal)
        -> [NetworkAddress]
    {
        if let literal = target.host.literal { return try foreign([literal], target.host, under: rule) }
        let (host, resolver) = (target.host.text, resolver)
        let found: [NetworkAddress]
        do {
            found = try await NIOThreadPool.singleton.runIfActive { resolver(host) }
        } catch {
            throw EgressRefusal(.unreachable, "\(host) could not be resolved: the host is shutting down")
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
        let own = Set(own())
        if let address = checked.first(where: own.contains) {
            throw EgressRefusal(
                .address, "\(host) is \(address), an address of this very machine; plugins reach other machines only")
        }
        return checked
    }

    /// Connects and verifies the peer.
    ///
    /// - Throws: `EgressRefusal` with `address`, or `unreachable` when nobody answered in time.
    func connect(
        to target: EgressTarget, under rule: EgressRule, milliseconds: Int64, on loop: any EventLoop
    ) async throws(EgressRefusal) -> any Channel {
        let deadline = NIODeadline.now() + .milliseconds(milliseconds)
        let checked = try await addresses(of: target, under: rule)
        var last = "no answer within \(milliseconds) ms"
        for address in checked.prefix(Self.triedAddresses) {
            let left = deadline - .now()
            guard left > .zero else { break }
            do {
                let socket = try SocketAddress(ipAddress: address.description, port: Int(target.port))
                let channel = try await ClientBootstrap(group: loop).connectTimeout(left)
                    .channelOption(.allowRemoteHalfClosure, value: true).channelOption(.autoRead, value: false)
                    .connect(to: socket).get()
                guard channel.remoteAddress == socket else {
                    channel.close(promise: nil)
                    throw EgressRefusal(.address, "the connection for \(target) did not reach \(address)")
                }
                return channel
            } catch let refusal as EgressRefusal {
                throw refusal
            } catch let error as ChannelError {
                if case .connectTimeout = error { continue }
                last = "\(error)"
            } catch {
                last = (error as? IOError).map { "errno \($0.errnoCode)" } ?? "\(error)"
            }
        }
        throw EgressRefusal(.unreachable, "\(target) could not be reached: \(last)")
    }
}
