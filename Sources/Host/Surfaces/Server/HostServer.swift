// Two listeners. The Unix socket is for this machine's users, whom the kernel names; TCP on loopback is for agents with
// a token, and for the form for credentials, which a third listener may serve to other machines. All hand whole
// requests to pure adapters; nothing is decided here but who may knock.
internal import HostAPI
public import HostCore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore
internal import NIOSSL
public import ServiceLifecycle

/// The HTTP front of a host.
public struct HostServer: Sendable {
    private let admin: AdminAPI
    private let mcp: MCPEndpoint
    private let form: SecretForm?
    private let logger: Logger
    /// In bytes: the longest body, a plugin bundle.
    private let bodyLimit: Int

    public init(admin: AdminAPI, mcp: MCPEndpoint, form: SecretForm? = nil, bodyLimit: Int, label: String) {
        self.admin = admin
        self.mcp = mcp
        self.form = form
        self.bodyLimit = bodyLimit
        logger = Logger(label: label)
    }

    /// The listener for agents: `/mcp`, and `/metrics` for a monitor; on loopback, each with a token of its kind. And
    /// for people with a link: the form for credentials.
    public func agents(port: Int, ready: @escaping @Sendable (Int) async -> Void) -> any Service {
        let bound = BoundPort(port)
        return application(address: .hostname("127.0.0.1", port: port)) { channel in
            let actual = channel.localAddress?.port ?? port
            bound.set(actual)
            await ready(actual)
        } respond: { [self] request, context in
            if let form, request.uri.path.hasPrefix(SecretForm.prefix) {
                return try await serve(form, request, context, at: .loopback(port: bound.value))
            }
            let browser = BrowserGuard(port: bound.value)
            if let reason = browser.refusal(host: request.head.authority, origin: request.headers[.origin]) {
                return Self.failure(403, "forbidden", reason)
            }
            guard ["/mcp", APIPath.metrics].contains(request.uri.path) else {
                return Self.failure(404, "not-found", "there are only /mcp and /metrics here")
            }
            return try await whole(
                request, context, limit: ServerLimits.messageBytes, presented: Presented(bearer: Self.bearer(request))
            ) { wire in
                wire.path == "/mcp" ? await answer(wire, surface: "mcp-http") : await admin.scrape(wire)
            }
        }
    }

    /// The listener for this machine's users: `/mcp` and the admin API.
    public func users(socket: String, ready: @escaping @Sendable () async -> Void) -> any Service {
        application(address: .unixDomainSocket(path: socket)) { _ in
            await ready()
        } respond: { [self] request, context in
            guard let peer = await context.peerUserID() else {
                return Self.failure(401, "unauthenticated", "the kernel does not say who is connected")
            }
            let path = request.uri.path
            let isBundle =
                path == APIPath.plugins || (path.hasPrefix("\(APIPath.plugins)/") && path.hasSuffix("/upgrade"))
            return try await whole(
                request, context, limit: isBundle ? bodyLimit : ServerLimits.messageBytes,
                presented: Presented(peerUserID: peer, bearer: Self.bearer(request))
            ) { wire in
                wire.path == "/mcp" ? await answer(wire, surface: "mcp-stdio") : await admin.respond(to: wire)
            }
        }
    }

    /// The listener for people elsewhere: the form for credentials, with a certificate, and nothing else.
    ///
    /// - Throws: `invalidConfiguration` for files that are no certificate and key.
    public func forms(_ settings: SecretFormSettings) throws(HostError) -> (any Service)? {
        guard let form else { return nil }
        let server: HTTPServerBuilder
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(settings.certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: settings.key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            server = try .tls(Self.plain, tlsConfiguration: configuration)
        } catch {
            throw HostError(
                .invalidConfiguration,
                "secretForm: \(settings.certificate) and \(settings.key) cannot be used: \(error); they must be a "
                    + "certificate and its key in PEM, readable by this host's user")
        }
        let site = FormSite.secure(names: settings.names, port: settings.port)
        return application(
            address: .hostname(settings.address, port: settings.port), server: server
        ) { _ in
        } respond: { [self] request, context in
            guard request.uri.path.hasPrefix(SecretForm.prefix) else {
                return Self.failure(404, "not-found", "there is nothing here")
            }
            return try await serve(form, request, context, at: site)
        }
    }

    private func serve(
        _ form: SecretForm, _ request: Request, _ context: HostRequestContext, at site: FormSite
    ) async throws -> Response {
        let host = request.head.authority
        return try await whole(request, context, limit: SecretForm.bodyBytes, presented: Presented()) { wire in
            form.respond(to: wire, host: host, at: site)
        }
    }

    private func answer(_ wire: WireRequest, surface: String) async -> WireResponse {
        let answer = await mcp.respond(
            to: MCPRequest(
                method: wire.method, headers: wire.headers, body: wire.copiedBody, presented: wire.presented,
                surface: surface
            ))
        var reply = WireResponse(
            status: answer.status, headers: answer.headers.map { (name: $0.0, value: $0.1) }, body: answer.body)
        reply.stream = answer.stream
        return reply
    }

    private func application(
        address: BindAddress, server: HTTPServerBuilder = Self.plain,
        ready: @escaping @Sendable (any Channel) async -> Void,
        respond: @escaping @Sendable (Request, HostRequestContext) async throws -> Response
    ) -> any Service {
        let application = Application(
            responder: CallbackResponder<HostRequestContext> { request, context in
                // The first one became the authority; a second would leave it to taste whom the request is for (RFC
                // 9112, section 3.2).
                guard HTTPField.Name("Host").map({ request.headers[$0] == nil }) ?? true else {
                    return Self.failure(400, "invalid-request", "the Host header appears more than once")
                }
                do {
                    return try await respond(request, context)
                } catch is NIOTooManyBytesError {
                    return Self.failure(413, "invalid-request", "the body is longer than what is taken here")
                } catch let error as HTTPError {
                    return Self.failure(error.status.code, "invalid-request", error.body ?? error.status.reasonPhrase)
                }
            },
            server: server,
            configuration: ApplicationConfiguration(
                address: address, serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(ServerLimits.connections, logger: logger)),
            onServerRunning: ready, logger: logger)
        return EndingStreams(listener: application) { [mcp] in mcp.close() }
    }

    private static var plain: HTTPServerBuilder {
        .http1(configuration: HTTP1Channel.Configuration(idleTimeout: .seconds(ServerLimits.idleSeconds)))
    }

    private func whole(
        _ request: Request, _ context: HostRequestContext, limit: Int, presented: Presented,
        answer: @escaping @Sendable (WireRequest) async -> WireResponse
    ) async throws -> Response {
        let head = WireRequest(
            method: request.method.rawValue, path: request.uri.path,
            query: request.uri.queryParameters.reduce(into: [:]) { $0[String($1.key)] = String($1.value) },
            headers: request.headers.map { (name: $0.name.canonicalName, value: $0.value) }, presented: presented)
        return try await HTTPExchange(head: head, limit: limit, channel: context.channel).respond(
            to: request, answer: answer)
    }

    private static func bearer(_ request: Request) -> String? {
        guard let value = request.headers[.authorization] else { return nil }
        let parts = value.split(separator: " ")
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : ""
    }

    private static func failure(_ status: Int, _ code: String, _ message: String) -> Response {
        let failure = AdminAPI.failure(status, code, message)
        return failure.response(body: ResponseBody(byteBuffer: ByteBuffer(bytes: failure.body)))
    }
}

/// Ends the streams that would never end, once the host is asked to stop, so that the listener can.
private struct EndingStreams<Listener: Service>: Service {
    let listener: Listener
    let end: @Sendable () -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await listener.run()
        } onGracefulShutdown: {
            end()
        }
    }
}

extension WireResponse {
    func response(body: ResponseBody) -> Response {
        var fields = HTTPFields()
        for header in headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        return Response(status: .init(code: status), headers: fields, body: body)
    }
}
