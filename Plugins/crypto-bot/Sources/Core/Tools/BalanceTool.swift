internal import JSONBytes
internal import PluginSDK

/// `crypto_balance`: what the account holds. Amounts are passed on digit by digit, as the exchange writes them.
enum BalanceTool {
    static func run(
        on exchange: ExchangeClient, as account: ExchangeClient.Account
    ) throws(ToolError) -> ToolResult {
        let query = FormQuery([("omitZeroBalances", "true")])
        let answer = try exchange.signed("GET", "/api/v3/account", query, as: account)
        guard let entries = answer["balances"]?.arrayValue else { throw ExchangeClient.unreadable("/api/v3/account") }
        var balances: [JSONValue] = []
        for entry in entries {
            guard let asset = entry["asset"]?.stringValue, let free = entry["free"]?.stringValue,
                let locked = entry["locked"]?.stringValue, let freeAmount = ExactDecimal(free),
                let lockedAmount = ExactDecimal(locked)
            else { throw ExchangeClient.unreadable("/api/v3/account") }
            if freeAmount.isZero, lockedAmount.isZero { continue }
            balances.append(["asset": .string(asset), "free": .string(free), "locked": .string(locked)])
        }
        return .json(["balances": .array(balances)])
    }
}
