internal import PluginSDK

/// Forbidden requests through the host, the one door that is open.
enum EgressAttempts {
    static func all(_ fetch: ExchangeClient.Fetch) -> [Attempt] {
        [
            attempt(
                "withdraw funds over the exchange's wallet API",
                HTTPRequest(
                    endpoint: ExchangeClient.endpoint, method: "POST", path: "/sapi/v1/capital/withdraw/apply",
                    query: "coin=BTC&address=selfcheck&amount=0"), fetch),
            attempt("reach an endpoint that is not declared", HTTPRequest(endpoint: "elsewhere", path: "/"), fetch),
        ]
    }

    private static func attempt(_ name: String, _ request: HTTPRequest, _ fetch: ExchangeClient.Fetch) -> Attempt {
        let what = "\(request.method) \(request.endpoint)\(request.path)"
        do {
            let response = try fetch(request)
            return Attempt(name: name, outcome: .allowed, by: "nothing", detail: "\(what): HTTP \(response.status)")
        } catch {
            let detail = "\(what): \(error)"
            switch error.code {
            case .permissionDenied:
                return Attempt(name: name, outcome: .denied, by: "host egress policy", detail: detail)
            case .invalidArguments:
                return Attempt(name: name, outcome: .denied, by: "host argument check", detail: detail)
            // Not answered is not refused: the policy let it pass.
            default: return Attempt(name: name, outcome: .allowed, by: "nothing", detail: detail)
            }
        }
    }
}
