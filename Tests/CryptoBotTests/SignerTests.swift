import PluginSDK
import Testing

@testable import CryptoBotCore

/// The vectors are those of the exchange's documentation (Binance Spot REST API, "Signed endpoint examples").
@Suite struct SignerTests {
    private static let signer = Signer(
        secret: CredentialValue(copying: "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j".utf8))

    @Test func signatureOfAQueryMatchesTheDocumentation() {
        let query =
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
            + "&timestamp=1499827319559"
        #expect(
            Self.signer.signature(query: query) == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71")
    }

    @Test func signatureCoversThePercentEncodedForm() {
        let query = FormQuery([
            ("symbol", "１２３４５６"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"),
            ("quantity", "1"), ("price", "0.1"), ("recvWindow", "5000"), ("timestamp", "1499827319559"),
        ])
        #expect(
            Self.signer.signature(query: query.encoded)
                == "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3")
    }

    @Test func queryAndBodyAreJoinedWithNothingBetween() {
        let signature = Self.signer.signature(
            query: "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
            body: "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559")
        #expect(signature == "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77")
    }
}
