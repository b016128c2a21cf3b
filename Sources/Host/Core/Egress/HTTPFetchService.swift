internal import AsyncHTTPClient
internal import Egress
internal import JSONBytes
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
public import PluginABI
internal import Synchronization

/// `http.fetch`: the host makes the request, so that a plugin needs no socket and no name can be rebound under it.
public final class HTTPFetchService: HostServices {
    private let clients: Mutex<[ClientKey: Entry]> = Mutex([:])

    private struct Entry {
        var client: HTTPClient
        /// Requests that use it now.
        var uses: Int
        var lastUse: ContinuousClock.Instant
    }

    private struct ClientKey: Hashable {
        var host: String
        var address: String
        var authority: String?
    }

    private let connector: EgressConnector
    private let meters: EgressMeters

    public convenience init() { self.init(connector: EgressConnector(), meters: EgressMeters()) }

    init(connector: EgressConnector, meters: EgressMeters) {
        self.connector = connector
        self.meters = meters
    }

    public func answer(
        _ call: Message.HostCall, in context: CallContext
    ) async throws(ServiceFailure) -> ServiceAnswer {
        let (request, route): (FetchRequest, EgressPolicy.Route)
        do throws(ABIError) {
            request = try FetchRequest(call.content)
            route = try EgressPolicy.route(request, for: context.plugin)
        } catch {
            throw ServiceFailure(error)
        }
        return ServiceAnswer(try await fetch(SealedRequest(request, route, in: context), route, in: context))
    }

    deinit {
        let all = clients.withLock { $0.values.map(\.client) }
        // A client that is dropped open ends the process.
        if !all.isEmpty { Task { for client in all { try? await client.shutdown() } } }
    }

    /// Closes every connection.
    public func shutDown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return clients.values.map(\.client)
        }
        for client in all { try? await client.shutdown() }
    }

    private func fetch(
        _ sealed: SealedRequest, _ route: EgressPolicy.Route, in context: CallContext
    ) async throws(ServiceFailure) -> Message.Payload {
        let (target, rule) = try EgressPolicy.target(of: route)
        let meter = meters[context.plugin.name]
        let address: NetworkAddress
        do throws(EgressRefusal) {
            try meter.open()
        } catch {
            throw EgressPolicy.refusal(error)
        }
        defer { meter.close() }
        do throws(EgressRefusal) {
            // Asked once: the client below is told this address and resolves nothing.
            address = try await connector.addresses(
                of: target, under: rule, within: HostLimits.fetchConnectMilliseconds)[0]
        } catch {
            throw EgressPolicy.refusal(error)
        }
        let key = ClientKey(host: route.origin.host, address: address.description, authority: route.authority)
        let client: HTTPClient
        do throws(ABIError) { client = try self.client(key) } catch { throw ServiceFailure(error) }
        defer { release(key) }
        let left = min(HostLimits.fetchMilliseconds, Clock.millisecondsLeft(until: context.due))
        let redactor = context.sealed?.redactor
        let request: FetchRequest
        do throws(ABIError) {
            request = try sealed.completed(at: Clock.unixMilliseconds())
        } catch {
            throw ServiceFailure(error)
        }
        let room = min(HostLimits.fetchResponseBytes, meter.bytesLeft)
        do {
            if let refusal = meter.count(request.body.count) { throw refusal }
            let response = try await client.execute(Self.outgoing(request, route), timeout: .milliseconds(Int64(left)))
            let body = try await response.body.collect(upTo: room)
            if let refusal = meter.count(body.readableBytes) { throw refusal }
            return try Self.payload(response, Array(body.readableBytesView), redactor)
        } catch let refusal as EgressRefusal {
            throw EgressPolicy.refusal(refusal)
        } catch let error as ABIError {
            throw ServiceFailure(error)
        } catch {
            if error is NIOTooManyBytesError {
                // What came is counted; it was the minute's quota that ended it, or the limit of one answer.
                let used = meter.count(room + 1)
                if let used, room < HostLimits.fetchResponseBytes { throw EgressPolicy.refusal(used) }
            }
            throw ServiceFailure(Self.failure(error, route.origin, milliseconds: left))
        }
    }

    private static func outgoing(_ request: FetchRequest, _ route: EgressPolicy.Route) -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(
            url: "\(route.origin)\(request.path)\(request.query.isEmpty ? "" : "?" + request.query)")
        outgoing.method = .init(rawValue: request.method)
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if !request.body.isEmpty { outgoing.body = .bytes(request.body, length: .known(Int64(request.body.count))) }
        return outgoing
    }

    /// The answer, without the sealed credentials of the call: a server may send back what it was sent.
    private static func payload(
        _ response: HTTPClientResponse, _ body: [UInt8], _ redactor: Redactor?
    ) throws(ABIError) -> Message.Payload {
        let json = JSONValue.object(
            JSONObject([("status", JSONValue(Int(response.status.code))), ("headers", .object(headers(of: response)))]))
        guard let redactor else { return Message.Payload(json, bytes: body) }
        if let coding = response.headers.first(name: "content-encoding"), coding.lowercased() != "identity" {
            throw ABIError(
                .unavailable,
                "the answer is encoded as \(coding.cut(to: 40)), so the host cannot see whether a sealed credential "
                    + "is in it; ask for one that is not")
        }
        return Message.Payload(json: redactor.redact(json: json.encoded()), bytes: redactor.redact(bytes: body))
    }

    private static func headers(of response: HTTPClientResponse) -> JSONObject {
        var headers = JSONObject()
        for header in response.headers {
            let name = header.name.lowercased()
            let earlier = headers[name]?.stringValue.map { $0 + ", " } ?? ""
            headers[name] = .string(earlier + header.value)
        }
        return headers
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

    /// A client that connects to the checked address and nowhere else, and follows no redirect; until `release`.
    private func client(_ key: ClientKey) throws(ABIError) -> HTTPClient {
        if let client = clients.withLock({ Self.use(key, &$0) }) { return client }
        let fresh = try Self.client(key)
        let (kept, spare) = clients.withLock { clients -> (HTTPClient, HTTPClient?) in
            if let other = Self.use(key, &clients) { return (other, fresh) }
            var old: HTTPClient?
            // A name with many addresses would leave a client for each.
            let idle = clients.filter { $0.value.uses == 0 }.min { $0.value.lastUse < $1.value.lastUse }
            if clients.count >= HostLimits.fetchClients, let idle {
                old = clients.removeValue(forKey: idle.key)?.client
            }
            clients[key] = Entry(client: fresh, uses: 1, lastUse: .now)
            return (fresh, old)
        }
        if let spare { Task { try? await spare.shutdown() } }
        return kept
    }

    private static func use(_ key: ClientKey, _ clients: inout [ClientKey: Entry]) -> HTTPClient? {
        clients[key]?.uses += 1
        return clients[key]?.client
    }

    private func release(_ key: ClientKey) {
        clients.withLock { clients in
            clients[key]?.uses -= 1
            clients[key]?.lastUse = .now
        }
    }

    private static func client(_ key: ClientKey) throws(ABIError) -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [key.host: key.address]
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(
            connect: .milliseconds(HostLimits.fetchConnectMilliseconds),
            read: .milliseconds(HostLimits.fetchIdleMilliseconds))
        if let authority = key.authority {
            do {
                let certificates = try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8))
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.trustRoots = .certificates(certificates)
                configuration.tlsConfiguration = tls
            } catch {
                throw ABIError(.unavailable, "the endpoint's authority is not a PEM certificate: \(error)")
            }
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}
