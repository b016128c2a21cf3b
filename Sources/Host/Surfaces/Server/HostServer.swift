// Two listeners. The Unix socket is for this machine's users, whom the kernel names; TCP on loopback is for agents with a
// token. Both hand whole requests to pure adapters; nothing is decided here but who may knock.
internal import HostCore
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
public import ServiceLifecycle

/// The HTTP front of a host.
public struct HostServer: Sendable {
    private let admin: AdminAPI
    private let mcp: MCPEndpoint
    private let logger: Logger
    /// In bytes: the longest body, a plugin bundle.
    private let bodyLimit: Int

    public init(admin: AdminAPI, mcp: MCPEndpoint, bodyLimit: Int, label: String) {
        self.admin = admin
        self.mcp = mcp
        self.bodyLimit = bodyLimit
        logger = Logger(label: label)
    }

    /// The listener for agents: `/mcp` only, on loopback, with a token.
    public func agents(port: Int, ready: @escaping @Sendable (Int) async -> Void) -> any Service {
        let bound = BoundPort(port)
        return application(address: .hostname("127.0.0.1", port: port)) { channel in
            let actual = channel.localAddress?.port ?? port
            bound.set(actual)
            await ready(actual)
        } respond: { [self] request, context in
            let browser = BrowserGuard(port: bound.value)
            if let reason = browser.refusal(host: request.head.authority, origin: request.headers[.origin]) {
                return Self.failure(403, "forbidden", reason)
            }
            let wire = try await wire(
                request, limit: Self.messageLimit, presented: Presented(bearer: Self.bearer(request)))
            guard wire.path == "/mcp" else { return Self.failure(404, "not-found", "there is only /mcp here") }
            return Self.response(await answer(wire, surface: "mcp-http"))
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
            let isBundle = request.uri.path == "/v1/plugins"
            let wire = try await wire(
                request, limit: isBundle ? bodyLimit : Self.messageLimit,
                presented: Presented(peerUserID: peer, bearer: Self.bearer(request)))
            if wire.path == "/mcp" { return Self.response(await answer(wire, surface: "mcp-stdio")) }
            return Self.response(await admin.respond(to: wire))
        }
    }

    private static let messageLimit = 4 << 20

    private func answer(_ wire: WireRequest, surface: String) async -> WireResponse {
        let answer = await mcp.respond(
            to: MCPRequest(
                method: wire.method, headers: wire.headers, body: wire.body, presented: wire.presented, surface: surface
            ))
        return WireResponse(
            status: answer.status, headers: answer.headers.map { (name: $0.0, value: $0.1) }, body: answer.body)
    }

    private func application(
        address: BindAddress, ready: @escaping @Sendable (any Channel) async -> Void,
        respond: @escaping @Sendable (Request, HostRequestContext) async throws -> Response
    ) -> any Service {
        Application(
            responder: CallbackResponder<HostRequestContext> { request, context in
                do {
                    return try await respond(request, context)
                } catch let error as HTTPError {
                    return Self.failure(error.status.code, "invalid-request", error.body ?? error.status.reasonPhrase)
                }
            },
            configuration: ApplicationConfiguration(address: address, serverName: nil), onServerRunning: ready,
            logger: logger)
    }

    private func wire(_ request: Request, limit: Int, presented: Presented) async throws -> WireRequest {
        let body = try await request.body.collect(upTo: limit)
        return WireRequest(
            method: request.method.rawValue, path: request.uri.path,
            query: request.uri.queryParameters.reduce(into: [:]) { $0[String($1.key)] = String($1.value) },
            headers: request.headers.map { (name: $0.name.canonicalName, value: $0.value) },
            body: Array(body.readableBytesView), presented: presented)
    }

    private static func bearer(_ request: Request) -> String? {
        guard let value = request.headers[.authorization] else { return nil }
        let parts = value.split(separator: " ")
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : ""
    }

    private static func response(_ answer: WireResponse) -> Response {
        var fields = HTTPFields()
        for header in answer.headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    private static func failure(_ status: Int, _ code: String, _ message: String) -> Response {
        response(AdminAPI.failure(status, code, message))
    }
}
