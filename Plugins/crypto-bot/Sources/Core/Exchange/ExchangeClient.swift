internal import JSONBytes
internal import PluginSDK

/// The exchange's REST API through the host's `http.fetch`, with the credentials of one call.
struct ExchangeClient {
    typealias Fetch = (HTTPRequest) throws(ToolError) -> HTTPResponse

    /// As declared in plugin.json.
    static let endpoint = "exchange"
    /// How long after its timestamp a signed request is good for, in milliseconds.
    static let receiveWindow = 5_000

    private let clock: ServerClock
    private let fetch: Fetch

    init(clock: ServerClock, fetch: @escaping Fetch) {
        self.clock = clock
        self.fetch = fetch
    }

    /// A request that needs no key.
    func get(_ path: String, _ query: FormQuery = FormQuery()) throws(ToolError) -> JSONValue {
        let response = try fetch(
            HTTPRequest(endpoint: Self.endpoint, path: path, query: query.encoded.isEmpty ? nil : query.encoded))
        return try json(response, isWrite: false)
    }

    /// A signed request. One that changes something is sent once: only a refusal for its timestamp, which says that
    /// nothing happened, is answered with a second attempt.
    func signed(
        _ method: String, _ path: String, _ query: FormQuery, as account: Account
    ) throws(ToolError) -> JSONValue {
        let isWrite = method != "GET"
        let first = try send(method, path, query, as: account)
        guard first.status != 200, ExchangeFault(first).code == ExchangeFault.clockSkew else {
            return try json(first, isWrite: isWrite)
        }
        try synchronise()
        return try json(send(method, path, query, as: account), isWrite: isWrite)
    }

    /// Key and secret of one user, by the names of the credentials.
    enum Account: Sendable {
        /// Neither is ever here: the host sets the header X-MBX-APIKEY and signs.
        case sealed(key: String, secret: String)
        /// They came with the call and are overwritten with its end. The key is never seen here either: the SDK puts it
        /// into the header.
        case lent(key: String, signer: Signer)
    }

    private func send(
        _ method: String, _ path: String, _ query: FormQuery, as account: Account
    ) throws(ToolError) -> HTTPResponse {
        var query = query
        query.append("recvWindow", String(Self.receiveWindow))
        query.append("timestamp", String(clock.now))
        var request = HTTPRequest(endpoint: Self.endpoint, method: method, path: path)
        switch account {
        case .sealed(let key, let secret): request.sealed = [key, secret]
        case .lent(let key, let signer):
            query.append("signature", signer.signature(query: query.encoded))
            request.headers = [("X-MBX-APIKEY", .credential(key))]
        }
        request.query = query.encoded
        do {
            return try fetch(request)
        } catch {
            // A write that left and was not answered may have arrived.
            guard method != "GET", error.code == .deadlineExceeded || error.code == .unavailable else { throw error }
            throw ExchangeFault.outcomeUnknown("No answer came (\(error.message)).")
        }
    }

    private func synchronise() throws(ToolError) {
        let sent = clock.local()
        let answer = try get("/api/v3/time")
        guard let serverTime = answer["serverTime"]?.intValue else { throw Self.unreadable("/api/v3/time") }
        clock.synchronise(serverTime: serverTime, between: sent, and: clock.local())
    }

    private func json(_ response: HTTPResponse, isWrite: Bool) throws(ToolError) -> JSONValue {
        guard response.status == 200 else { throw ExchangeFault(response).toolError(isWrite: isWrite) }
        do {
            return try JSONValue(parsing: response.body)
        } catch {
            throw ToolError(.exchangeRefused, "the exchange's answer is not JSON: \(error)")
        }
    }

    static func unreadable(_ what: String) -> ToolError {
        ToolError(.exchangeRefused, "the exchange's answer to \(what) has not the form that its documentation gives")
    }
}
