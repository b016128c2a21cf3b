import Testing

@testable import CryptoBotCore

@Suite struct FormQueryTests {
    @Test func orderOfParametersIsKept() {
        #expect(FormQuery([("b", "2"), ("a", "1")]).encoded == "b=2&a=1")
    }

    @Test func everythingButUnreservedCharactersIsEncoded() {
        #expect(FormQuery.percentEncoded("aZ0-._~") == "aZ0-._~")
        #expect(FormQuery.percentEncoded("a b&c=d/e+f%") == "a%20b%26c%3Dd%2Fe%2Bf%25")
        #expect(FormQuery.percentEncoded("币") == "%E5%B8%81")
    }

    @Test func valueCannotAddAParameter() {
        #expect(FormQuery([("symbol", "BTCUSDT&side=SELL")]).encoded == "symbol=BTCUSDT%26side%3DSELL")
    }
}
