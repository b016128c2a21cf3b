internal import JSONBytes
internal import PluginSDK

/// `crypto_selfcheck`: tries, inside the jail, what the jail must refuse. Every outcome is what was seen, never what
/// was hoped for: outside the jail the same code reports ALLOWED.
enum SelfCheck {
    static func attempts(_ fetch: ExchangeClient.Fetch) -> [Attempt] {
        KernelAttempts.all() + EgressAttempts.all(fetch)
    }

    static func report(_ attempts: [Attempt]) -> JSONValue {
        let allowed = attempts.count { $0.outcome == .allowed }
        return [
            "allDenied": .bool(allowed == 0), "tried": JSONValue(attempts.count), "allowed": JSONValue(allowed),
            "attempts": .array(attempts.map(\.json)),
        ]
    }
}
