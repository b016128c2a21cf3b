import PluginSDK

@testable import CryptoBotCore

/// The exchange by a table of answers: each request takes the next answer for its path. What was asked is kept.
final class FakeExchange {
    private(set) var requests: [HTTPRequest] = []
    private var answers: [String: [Result<HTTPResponse, ToolError>]] = [:]
    private let clock: ServerClock

    /// - Parameter now: What the local clock says, Unix time in milliseconds.
    init(now: Int = 1_700_000_000_000) { clock = ServerClock(local: { now }) }

    func answer(_ path: String, status: Int = 200, headers: [String: String] = [:], _ body: String) {
        let response = HTTPResponse(status: status, headers: headers, body: Array(body.utf8))
        answers[path, default: []].append(.success(response))
    }

    func fail(_ path: String, _ error: ToolError) { answers[path, default: []].append(.failure(error)) }

    var client: ExchangeClient {
        ExchangeClient(clock: clock) { request throws(ToolError) in
            self.requests.append(request)
            guard let next = self.answers[request.path]?.first else {
                throw ToolError(.internalError, "the test has no answer for \(request.path)")
            }
            self.answers[request.path]?.removeFirst()
            return try next.get()
        }
    }

    static let account = ExchangeClient.Account.lent(key: "api_key", signer: signer())
    static let sealed = ExchangeClient.Account.sealed(key: "api_key", secret: "api_secret")

    static func signer() -> Signer { Signer(secret: CredentialValue(copying: "the-secret".utf8)) }
}
