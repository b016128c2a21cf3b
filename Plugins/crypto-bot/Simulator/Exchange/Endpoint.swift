/// The endpoints that the simulator has, as a table.
struct Endpoint: Sendable {
    enum Operation: Sendable {
        case ping, time, exchangeInfo, price, depth, account, testOrder, placeOrder, queryOrder
    }

    let method: String
    let path: String
    let operation: Operation
    var isSigned = false
    var isFreeOnSuccess = false
    let weight: @Sendable (Parameters) -> Int

    static let all: [Endpoint] = [
        Endpoint(method: "GET", path: "/api/v3/ping", operation: .ping) { _ in 1 },
        Endpoint(method: "GET", path: "/api/v3/time", operation: .time) { _ in 1 },
        Endpoint(method: "GET", path: "/api/v3/exchangeInfo", operation: .exchangeInfo) { _ in 20 },
        Endpoint(method: "GET", path: "/api/v3/ticker/price", operation: .price) { $0.peek("symbol") == nil ? 4 : 2 },
        Endpoint(method: "GET", path: "/api/v3/depth", operation: .depth, weight: depthWeight),
        Endpoint(method: "GET", path: "/api/v3/account", operation: .account, isSigned: true) { _ in 20 },
        Endpoint(method: "POST", path: "/api/v3/order/test", operation: .testOrder, isSigned: true) {
            $0.peek("computeCommissionRates") == "true" ? 20 : 1
        },
        Endpoint(
            method: "POST", path: "/api/v3/order", operation: .placeOrder, isSigned: true, isFreeOnSuccess: true
        ) { _ in 1 },
        Endpoint(method: "GET", path: "/api/v3/order", operation: .queryOrder, isSigned: true) { _ in 4 },
    ]

    /// Retired by the exchange on 2026-02-20.
    static let gone = "/api/v3/userDataStream"

    static func find(method: String, path: String) throws(APIError) -> Endpoint {
        let known = all.filter { $0.path == path }
        if let endpoint = known.first(where: { $0.method == method }) { return endpoint }
        throw APIError(0, "", status: path == gone ? 410 : known.isEmpty ? 404 : 405)
    }

    private static func depthWeight(_ parameters: Parameters) -> Int {
        switch parameters.peek("limit").flatMap({ Int($0) }) ?? 100 {
        case ...100: 5
        case ...500: 25
        case ...1_000: 50
        default: 250
        }
    }
}
