internal import NIOCore
internal import NIOPosix

/// Resolves once, checks every address, connects to a checked address and asks the kernel who the peer is.
public struct EgressConnector: Sendable {
    /// Every address of a name. Blocks; it is called off the event loops.
    public typealias Resolver = @Sendable (String) -> [NetworkAddress]

    private let resolver: Resolver
    /// Of a host with many addresses, how many are tried.
    static let triedAddresses = 4

    public init(resolver: @escaping Resolver = { NetworkAddress.resolve($0) }) { self.resolver = resolver }

    /// - Returns: the addresses that may be connected to. The name is asked for once; nothing asks again later.
    /// - Throws: `EgressRefusal` with `address` or `unreachable`.
    public func addresses(
        of target: EgressTarget, under rule: EgressRule
    ) async throws(EgressRefusal)
        -> [NetworkAddress]
    {
        if let literal = target.host.literal { return try rule.checked([literal], of: target.host) }
        let (host, resolver) = (target.host.text, resolver)
        let found: [NetworkAddress]
        do {
            found = try await NIOThreadPool.singleton.runIfActive { resolver(host) }
        } catch {
            throw EgressRefusal(.unreachable, "\(host) could not be resolved: the host is shutting down")
        }
        return try rule.checked(found, of: target.host)
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
