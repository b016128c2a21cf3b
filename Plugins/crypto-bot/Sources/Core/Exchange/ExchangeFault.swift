internal import JSONBytes
internal import PluginSDK

/// An answer of the exchange that is not a success, and what an agent is told of it.
struct ExchangeFault: Error, Sendable, Equatable {
    var status: Int
    /// The exchange's own number, 0 where its body has none: a gateway answered, not the exchange.
    var code: Int
    var message: String
    /// Seconds to wait, where the exchange says so.
    var retryAfter: Int?

    init(_ response: HTTPResponse) {
        let body = try? JSONValue(parsing: response.body)
        status = response.status
        code = body?["code"]?.intValue ?? 0
        message = String((body?["msg"]?.stringValue ?? "no reason given").prefix(300))
        retryAfter = response.headers["retry-after"].flatMap { Int($0) }
    }

    static let clockSkew = -1021
    static let backendTimeout = -1007

    /// True where the exchange may have acted although it reported trouble: a 5xx or -1007 says "status unknown".
    var leavesOutcomeUnknown: Bool { status >= 500 || code == Self.backendTimeout }
}

/// Codes of this plugin's own (abi-v1.md section 8.2).
extension ABIError.Code {
    static let rateLimited = ABIError.Code("crypto-bot.rate-limited")
    static let credentialRefused = ABIError.Code("crypto-bot.credential-refused")
    static let clockSkew = ABIError.Code("crypto-bot.clock-skew")
    static let orderRefused = ABIError.Code("crypto-bot.order-refused")
    static let outcomeUnknown = ABIError.Code("crypto-bot.outcome-unknown")
    static let exchangeRefused = ABIError.Code("crypto-bot.exchange-refused")
}

extension ExchangeFault {
    /// The fault in terms of what to do about it.
    ///
    /// - Parameter isWrite: True for a request that may have changed something; such a one is never repeated unasked.
    func toolError(isWrite: Bool) -> ToolError {
        if isWrite, leavesOutcomeUnknown { return Self.outcomeUnknown(said) }
        switch (status, code) {
        case (418, _):
            return ToolError(
                .rateLimited, "\(said) The exchange has banned this address; send nothing \(pause(120)).",
                retryable: true)
        case (429, _), (_, -1003), (_, -1015):
            return ToolError(.rateLimited, "\(said) Wait \(pause(60)), then try again.", retryable: true)
        case (_, -1022):
            return ToolError(
                .credentialRefused,
                "\(said) api_secret does not belong to api_key; store it again: nexus secret set crypto-bot api_secret")
        case (_, -1002), (_, -2014), (_, -2015):
            return ToolError(
                .credentialRefused,
                "\(said) Check on the exchange that the key exists, may read the account and trade spot, and that its "
                    + "IP restriction includes this host; store it again: nexus secret set crypto-bot api_key")
        case (_, Self.clockSkew):
            return ToolError(
                .clockSkew, "\(said) The clocks still differ after a synchronisation; check the host's clock.",
                retryable: true)
        case (_, -1121):
            return ToolError(.invalidArguments, "\(said) Use a symbol that the exchange lists, such as BTCUSDT.")
        case (_, -1013), (_, -1130 ... -1100):
            return ToolError(.invalidArguments, "\(said) Change the argument that it names.")
        case (_, -2010): return ToolError(.orderRefused, said)
        case (500..., _), (_, -1008 ... -1000):
            return ToolError(.unavailable, "\(said) Try again later.", retryable: true)
        case (403, 0):
            return ToolError(.exchangeRefused, "\(said) The exchange's firewall refused the request.")
        default: return ToolError(.exchangeRefused, said)
        }
    }

    static func outcomeUnknown(_ cause: String) -> ToolError {
        ToolError(
            .outcomeUnknown,
            "\(cause) Whether the request took effect is unknown. It was not repeated, and must not be: first look "
                + "at the account's orders for its client order id.")
    }

    private var said: String {
        code == 0 ? "The exchange answered HTTP \(status)." : "The exchange answered \(code): \(message)"
    }

    private func pause(_ standard: Int) -> String { "for \(retryAfter ?? standard) seconds" }
}
