internal import JSONBytes
public import PluginSDK

/// The plugin: which tool is served by what. It has no socket and no file; the host's `http.fetch` is its only way out.
public enum CryptoBot {
    public static func register(on plugin: Plugin) {
        let clock = ServerClock()
        plugin.tool("crypto_price", PriceTool.about) { (arguments: PriceTool.Arguments, call) in
            try PriceTool.run(arguments.symbol, on: exchange(call, clock))
        }
        plugin.tool("crypto_balance") { call in
            try BalanceTool.run(on: exchange(call, clock), as: account(call))
        }
        plugin.tool("crypto_order") { call in
            try OrderTool.run(
                call.arguments, requestID: call.requestID, on: exchange(call, clock), as: account(call))
        }
        plugin.tool("crypto_selfcheck") { call in
            .json(SelfCheck.report(SelfCheck.attempts { request throws(ToolError) in try call.http(request) }))
        }
    }

    private static func exchange(_ call: ToolCall, _ clock: ServerClock) -> ExchangeClient {
        ExchangeClient(clock: clock) { request throws(ToolError) in try call.http(request) }
    }

    /// As plugin.json delivers the credentials: sealed, or with the call.
    private static func account(_ call: ToolCall) throws(ToolError) -> ExchangeClient.Account {
        guard call.carries("api_secret") else { return .sealed(key: "api_key", secret: "api_secret") }
        return .lent(key: "api_key", signer: Signer(secret: try call.credential("api_secret")))
    }
}
