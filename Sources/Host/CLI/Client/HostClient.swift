// What crosses here: requests to nexusd over its Unix socket. The kernel tells nexusd who we are; where the first token
// can be read it goes along, so that the command line and an agent of the same user are the same actor.
internal import AsyncHTTPClient
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import NIOCore
internal import NIOHTTP1

/// A client of one host.
struct HostClient: Sendable {
    let home: String
    /// Another token than the first, for `nexus mcp --token-file`.
    var token: String?

    init(home: String) { self.home = home }

    enum Method: String {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// Makes a request and returns the answer's body.
    ///
    /// - Throws: `CommandFailure` with the host's own words, or that no host is running.
    func send(
        _ method: Method, _ path: String, query: [(String, String)] = [], body: [UInt8] = [], seconds: Int64 = 90
    ) async throws -> [UInt8] {
        let (status, answer) = try await exchange(method, path, query: query, body: body, seconds: seconds)
        guard status == 200 else { throw failure(status, answer) }
        return answer
    }

    /// What an answer says whose status is not 200.
    func failure(_ status: UInt, _ answer: [UInt8]) -> CommandFailure {
        if let json = try? JSONValue(parsing: answer), let failure = APIFailure(json) { return CommandFailure(failure) }
        return CommandFailure("nexusd answered with HTTP status \(status)")
    }

    func json(
        _ method: Method, _ path: String, query: [(String, String)] = [], body: [UInt8] = []
    ) async throws -> JSONValue {
        let answer = try await send(method, path, query: query, body: body)
        guard let value = try? JSONValue(parsing: answer) else { throw CommandFailure("nexusd's answer is not JSON") }
        return value
    }

    /// - Parameter events: takes the pieces of an answer that is a stream, of events or of JSON lines, as they come; no
    ///   body is left of it then.
    /// - Parameter head: is shown the answer's headers first.
    func exchange(
        _ method: Method, _ path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: [UInt8] = [], seconds: Int64 = 90,
        events: (([UInt8]) async throws -> Void)? = nil, head: ((HTTPHeaders) -> Void)? = nil
    ) async throws -> (status: UInt, body: [UInt8]) {
        let socket = HomePath.socket(home: home)
        let parameters = query.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(
            separator: "&")
        var request = HTTPClientRequest(
            url: "http+unix://\(PercentEncoding.encode(socket))\(path)\(parameters.isEmpty ? "" : "?" + parameters)")
        request.method = method.http
        request.headers.add(name: "host", value: "localhost")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token = token ?? firstToken { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if !body.isEmpty { request.body = .bytes(body, length: .known(Int64(body.count))) }
        try SocketProbe.check(socket, home: home)
        do {
            // The time is for the answer's head.
            let response = try await Self.http.execute(request, timeout: .seconds(seconds))
            head?(response.headers)
            let type = response.headers.first(name: "content-type")
            if let events, ["text/event-stream", "application/x-ndjson"].contains(type) {
                for try await piece in response.body { try await events(Array(piece.readableBytesView)) }
                return (response.status.code, [])
            }
            let bytes = try await response.body.collect(upTo: 64 << 20)
            return (response.status.code, Array(bytes.readableBytesView))
        } catch is CancellationError {
            throw CancellationError()
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("nexusd in \(home) did not answer: \(error); see \(HomePath.log(home: home))")
        }
    }

    /// One client for the process. A connection that fails is not tried again: the socket is there or it is not. As
    /// many connections as `nexus mcp` has calls in flight, and one to listen on.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 65
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private var firstToken: String? {
        guard let text = try? String(contentsOfFile: HomePath.firstToken(home: home), encoding: .utf8) else {
            return nil
        }
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}

extension HostClient.Method {
    fileprivate var http: HTTPMethod { HTTPMethod(rawValue: rawValue) }
}
