internal import AsyncHTTPClient
internal import JSONBytes
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
public import PluginABI
internal import Synchronization

/// `http.fetch`: the host makes the request, so that a plugin needs no socket and no name can be rebound under it.
public final class HTTPFetchService: HostServices {
    private let clients: Mutex<[ClientKey: HTTPClient]> = Mutex([:])

    private struct ClientKey: Hashable {
        var host: String
        var address: String
        var authority: String?
    }

    public init() {}

    public func perform(_ call: Message.HostCall, in context: CallContext) async throws(ABIError) -> Message.Payload {
        let request = try FetchRequest(call.content)
        let route = try EgressPolicy.route(request, for: context.plugin)
        return try await fetch(request, route, deadline: context.deadline)
    }

    /// Closes every connection.
    public func shutDown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try? await client.shutdown() }
    }

    private func fetch(
        _ request: FetchRequest, _ route: EgressPolicy.Route, deadline: UInt64
    ) async throws(ABIError) -> Message.Payload {
        let host = route.origin.host
        let addresses: [NetworkAddress]
        do {
            addresses = try await NIOThreadPool.singleton.runIfActive { NetworkAddress.resolve(host) }
        } catch {
            throw ABIError(.unavailable, "\(host) could not be resolved")
        }
        let address = try EgressPolicy.address(addresses, for: route)
        let client = try client(route, address: address)
        var outgoing = HTTPClientRequest(
            url: "\(route.origin)\(request.path)\(request.query.isEmpty ? "" : "?" + request.query)")
        outgoing.method = .init(rawValue: request.method)
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if !request.body.isEmpty { outgoing.body = .bytes(request.body, length: .known(Int64(request.body.count))) }
        let now = Clock.unixMilliseconds()
        let left = min(HostLimits.fetchMilliseconds, deadline > now ? deadline - now : 0)
        do {
            let response = try await client.execute(outgoing, timeout: .milliseconds(Int64(left)))
            let body = try await response.body.collect(upTo: HostLimits.fetchResponseBytes)
            var headers = JSONObject()
            for header in response.headers {
                let name = header.name.lowercased()
                let earlier = headers[name]?.stringValue.map { $0 + ", " } ?? ""
                headers[name] = .string(earlier + header.value)
            }
            return Message.Payload(
                ["status": JSONValue(Int(response.status.code)), "headers": .object(headers)],
                bytes: Array(body.readableBytesView))
        } catch {
            throw Self.failure(error, route.origin, milliseconds: left)
        }
    }

    private static func failure(_ error: any Error, _ origin: Origin, milliseconds: UInt64) -> ABIError {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
            ABIError(.deadlineExceeded, "\(origin) did not answer within \(milliseconds) ms")
        case is NIOTooManyBytesError:
            ABIError(.unavailable, "the answer of \(origin) is longer than \(HostLimits.fetchResponseBytes) bytes")
        default: ABIError(.unavailable, "\(origin) could not be reached: \(error)")
        }
    }

    /// A client that connects to the checked address and nowhere else, and follows no redirect.
    private func client(_ route: EgressPolicy.Route, address: NetworkAddress) throws(ABIError) -> HTTPClient {
        let key = ClientKey(host: route.origin.host, address: address.description, authority: route.authority)
        if let client = clients.withLock({ $0[key] }) { return client }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [route.origin.host: address.description]
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(15))
        if let authority = route.authority {
            do {
                let certificates = try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8))
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.trustRoots = .certificates(certificates)
                configuration.tlsConfiguration = tls
            } catch {
                throw ABIError(.unavailable, "the endpoint's authority is not a PEM certificate: \(error)")
            }
        }
        let fresh = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let (kept, spare) = clients.withLock { clients -> (HTTPClient, HTTPClient?) in
            if let other = clients[key] { return (other, fresh) }
            clients[key] = fresh
            return (fresh, nil)
        }
        if let spare { Task { try? await spare.shutdown() } }
        return kept
    }
}
