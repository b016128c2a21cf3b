// The thin shell: sockets, TLS and the clock on one side, the exchange on the other. It binds to loopback only.

import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import JSONBytes
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// Serialises the requests of all connections.
actor Desk {
    private var exchange: Exchange
    private let clock: @Sendable () -> ServerTime

    init(_ exchange: Exchange, clock: @escaping @Sendable () -> ServerTime) {
        self.exchange = exchange
        self.clock = clock
    }

    func respond(to request: WireRequest) -> WireResponse { exchange.respond(to: request, at: clock()) }
    func refuse(_ status: Int, _ text: String) -> WireResponse { exchange.pageResponse(status, text) }
}

struct Server: Sendable {
    static let address = "127.0.0.1"

    let desk: Desk
    let port: Int
    /// Nil for plain HTTP.
    let certificate: Certificate?
    let isVerbose: Bool

    /// Serves until SIGTERM or SIGINT.
    func run(onListening: @escaping @Sendable (Int) -> Void) async throws {
        let silent = Logger(label: "exchange-simulator") { _ in SwiftLogNoOpLogHandler() }
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Limits.headBytes, maxHeaderListSize: Limits.headBytes)))
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in await answer(request) },
            server: try certificate.map { try .tls(plain, tlsConfiguration: $0.configuration()) } ?? plain,
            configuration: .init(address: .hostname(Self.address, port: port)),
            onServerRunning: { onListening($0.localAddress?.port ?? 0) },
            logger: silent)
        var services = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: silent)
        services.maximumGracefulShutdownDuration = Limits.shutdown
        try await ServiceGroup(configuration: services).run()
    }

    private func answer(_ request: Request) async -> Response {
        let wire: WireRequest
        do {
            wire = try await WireRequest(request)
        } catch is NIOTooManyBytesError {
            return Response(await desk.refuse(413, "Request Entity Too Large"))
        } catch {
            return Response(await desk.refuse(400, "Bad Request"))
        }
        let response = await desk.respond(to: wire)
        if isVerbose { Output.error("\(wire.method) \(wire.path.prefix(200)) \(response.status)") }
        return Response(response)
    }
}

extension WireRequest {
    /// - Throws: `NIOTooManyBytesError` if the body is longer than the limit.
    fileprivate init(_ request: Request) async throws {
        let target = Array((request.head.path ?? "/").utf8)
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        method = request.method.rawValue
        path = String(decoding: target[..<(mark ?? target.endIndex)], as: UTF8.self)
        query = mark.map { Array(target[($0 + 1)...]) } ?? []
        headers = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        body = Array(buffer: try await request.body.collect(upTo: Limits.bodyBytes))
    }
}

extension Response {
    fileprivate init(_ response: WireResponse) {
        var headers = HTTPFields()
        for header in response.headers {
            if let name = HTTPField.Name(header.name) { headers[name] = header.value }
        }
        self.init(
            status: .init(code: response.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: response.body)))
    }
}
