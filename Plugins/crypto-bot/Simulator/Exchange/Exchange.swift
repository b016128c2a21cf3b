// The exchange without a socket: a request and the time go in, a response comes out. Nothing here is trusted about a
// request, and nothing here reads a clock, a file or a random number.

import JSONBytes

struct Exchange: Sendable {
    let market: Market
    let limits: Limits
    var accounts: [String: Account]
    var nextOrderId = 1
    var nextTradeId = 1
    private var weights: WeightLimiter

    init(market: Market, accounts: [Account], limits: Limits = Limits()) {
        self.market = market
        self.limits = limits
        self.accounts = Dictionary(accounts.map { ($0.key, $0) }) { _, last in last }
        weights = WeightLimiter(limit: limits.weightPerMinute)
    }

    mutating func respond(to request: WireRequest, at now: ServerTime) -> WireResponse {
        do throws(APIError) {
            let answer = try answer(request, at: now)
            return response(200, json: answer.value.encoded(), answer.headers)
        } catch {
            let retry = error.retryAfter.map { [(name: "retry-after", value: String($0))] } ?? []
            if let page = Self.pages[error.status] { return response(error.status, html: page) }
            let body = JSONValue.object(.init([("code", .init(error.code)), ("msg", .string(error.message))]))
            return response(error.status, json: body.encoded(), retry)
        }
    }

    private mutating func answer(_ request: WireRequest, at now: ServerTime) throws(APIError) -> Answer {
        let endpoint: Endpoint
        let parameters: Parameters
        do throws(APIError) {
            endpoint = try Endpoint.find(method: request.method, path: request.path)
            parameters = try Parameters(request)
        } catch {
            try weights.charge(1, at: now)  // a request that leads nowhere still counts
            throw error
        }
        let weight = endpoint.weight(parameters)
        try weights.charge(weight, at: now)
        let unit = try TimeUnit(header: request.headers["x-mbx-time-unit"])
        var call = Call(parameters: parameters, now: now, unit: unit)
        if endpoint.isSigned {
            call.account = try Authentication.identify(request, &call.parameters, accounts: accounts, at: now)
        }
        let answer = try perform(endpoint.operation, &call)
        if endpoint.isFreeOnSuccess { weights.refund(weight) }
        return answer
    }

    private mutating func perform(_ operation: Endpoint.Operation, _ call: inout Call) throws(APIError) -> Answer {
        switch operation {
        case .ping: try ping(&call)
        case .time: try time(&call)
        case .exchangeInfo: try exchangeInfo(&call)
        case .price: try price(&call)
        case .depth: try depth(&call)
        case .account: try account(&call)
        case .testOrder: try testOrder(&call)
        case .placeOrder: try placeOrder(&call)
        case .queryOrder: try queryOrder(&call)
        }
    }

    // MARK: responses

    private static let pages = [
        404: "<html><body><h2>404 Not found</h2></body></html>",
        405: "<html><body><h2>405 Method Not Allowed</h2></body></html>",
        410: "<html><body><h2>410 Gone</h2></body></html>",
    ]

    /// A request that is refused before the exchange has seen it, in the words of a web server.
    func pageResponse(_ status: Int, _ text: String) -> WireResponse {
        response(status, html: "<html><body><h2>\(status) \(text)</h2></body></html>")
    }

    private func response(_ status: Int, html: String) -> WireResponse {
        respond(status, type: "text/html", Array(html.utf8), [])
    }

    private func response(_ status: Int, json: [UInt8], _ headers: [(name: String, value: String)]) -> WireResponse {
        respond(status, type: "application/json;charset=UTF-8", json, headers)
    }

    private func respond(
        _ status: Int, type: String, _ body: [UInt8], _ headers: [(name: String, value: String)]
    ) -> WireResponse {
        let common = [
            (name: "content-type", value: type),
            (name: "x-mbx-used-weight", value: String(weights.used)),
            (name: "x-mbx-used-weight-1m", value: String(weights.used)),
        ]
        return WireResponse(status: status, headers: common + headers, body: body)
    }
}

/// One request under way.
struct Call: Sendable {
    var parameters: Parameters
    let now: ServerTime
    let unit: TimeUnit
    /// The key of the account that signed; empty for a public endpoint.
    var account = ""

    func time(_ time: ServerTime) -> JSONValue { JSONValue(unit.value(time)) }
}

/// What a handler has to say; the rest of the response is the same for all.
struct Answer: Sendable {
    let value: JSONValue
    var headers: [(name: String, value: String)] = []
}
