import PluginABI
import Testing

@Suite struct ABIErrorTests {
    @Test func codesAreOpen() {
        let code = ABIError.Code("crypto-bot.order-rejected")
        #expect(code.rawValue == "crypto-bot.order-rejected")
        #expect(ABIError(code, "no funds").description == "crypto-bot.order-rejected: no funds")
    }
}
