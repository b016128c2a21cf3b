import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// The first three are the examples of Binance's documentation ("Signed endpoint examples"), key and secret included.
@Suite struct SignatureDraftTests {
    private static let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    private static let ed25519 = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u
        -----END PRIVATE KEY-----

        """

    private func query(_ query: String, body: String = "", key: String = secret) throws -> String {
        let context = try SealedSample.context(#"{"sign":"binance","credential":"secret"}"#, [("secret", key)])
        return try SealedSample.completed(
            ["method": "POST", "query": .string(query), "sealed": ["secret"]], body: body, in: context
        ).query
    }

    @Test(arguments: [
        (
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
                + "&timestamp=1499827319559", "", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
        ),
        (
            "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC"
                + "&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559", "",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
        ),
        (
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
            "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
            "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
        ),
    ])
    func binanceSignaturesAreThoseOfItsDocumentation(payload: String, body: String, signature: String) throws {
        #expect(try query(payload, body: body) == "\(payload)&signature=\(signature)")
    }

    /// The documentation's REST examples for Ed25519 are not Ed25519 signatures. The key is that of its FIX example,
    /// and its signature of the RSA example's payload was made with another library.
    @Test func anEd25519KeyIsRecognisedAndItsSignatureIsPercentEncoded() throws {
        let payload =
            "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2"
            + "&timestamp=1668481559918&recvWindow=5000"
        let signature =
            "inDT086KVIP8vgUfw5sV3VTkescWztiAGlf4x8FLKHM4NInsn0c1kYVLoGMO8cyjfR6vmTku2YQE0gtfVVlfCw%3D%3D"
        #expect(try query(payload, key: Self.ed25519) == "\(payload)&signature=\(signature)")
    }

    @Test func aTimestampIsSetWhereThePluginSendsNone() throws {
        #expect(try query("").hasPrefix("timestamp=1499827319559&signature="))
        #expect(try query("a=1").hasPrefix("a=1&timestamp=1499827319559&signature="))
        #expect(try query("a=1", body: "timestamp=5").hasPrefix("a=1&signature="))
        #expect(try query("mytimestamp=5").hasPrefix("mytimestamp=5&timestamp=1499827319559&signature="))
    }

    private func template(
        _ parts: String, _ more: String = "", algorithm: String = "hmac-sha256", encoding: String = "hex",
        key: String = "key", wish: JSONValue = [:], body: String = ""
    ) throws -> FetchRequest {
        let use =
            #"{"sign":"template","credential":"secret","algorithm":"\#(algorithm)","encoding":"\#(encoding)","#
            + #""parts":[\#(parts)]\#(more.isEmpty ? #","header":"X-Sign""# : more)}"#
        let context = try SealedSample.context(use, [("secret", key), ("id", "my-id")].filter { use.contains($0.0) })
        var members = wish.objectValue ?? JSONObject()
        members["sealed"] = use.contains("credential:id") ? ["secret", "id"] : ["secret"]
        return try SealedSample.completed(.object(members), body: body, in: context)
    }

    /// RFC 4231, test case 2: key "Jefe".
    @Test func theSignatureIsTheHMACOfTheParts() throws {
        let request = try template(
            #""text:what do ya want ","text:for nothing?""#, key: "Jefe")
        #expect(
            request.headers == [
                .init(
                    name: "X-Sign", value: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
            ])
    }

    @Test func partsAreJoinedWithNothingBetween() throws {
        let all = try template(
            #""timestamp","method","host","newline","path","query","target","body","body-sha256","header:X-A","#
                + #""header:X-None","credential:id""#,
            #","header":"S","timestamp":{"header":"T","format":"milliseconds"}"#,
            wish: ["method": "POST", "query": "q=1", "headers": ["x-a": "v"]], body: "abc")
        let payload =
            "1499827319559POSTapi.example.com\n/api/v3/xq=1/api/v3/x?q=1abc"
            + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015advmy-id"
        let signature = Hex.text(Array("key".utf8).withUnsafeBytes { SignatureKey.hmac(Array(payload.utf8), key: $0) })
        let expected = [("T", "1499827319559"), ("S", signature)].map { FetchRequest.Header(name: $0.0, value: $0.1) }
        #expect(all.headers.suffix(2) == expected[...])
    }

    @Test func timestampsHaveTheirFormats() throws {
        for (format, text) in [
            ("seconds", "1499827319"), ("milliseconds", "1499827319559"), ("iso-8601", "2017-07-12T02:41:59.559Z"),
        ] {
            let request = try template(
                #""timestamp""#, #","header":"S","timestamp":{"query":"t","format":"\#(format)"}"#)
            #expect(request.query == "t=\(PercentEncoding.encoded(text))")
        }
    }

    @Test func aSignatureInTheQueryIsPercentEncodedAndLast() throws {
        let request = try template(
            #""query""#, #","query":"sig""#, algorithm: "ed25519", encoding: "base64", key: Self.ed25519,
            wish: ["query": "a=1"])
        #expect(request.query.hasPrefix("a=1&sig=") && request.query.hasSuffix("%3D%3D"))
    }

    @Test func aKeyOfAnotherKindIsRefused() throws {
        let error = #expect(throws: ABIError.self) {
            try template(#""body""#, algorithm: "rsa-sha256", key: Self.ed25519)
        }
        #expect(error?.message == "the credential secret cannot be used: it is no RSA private key of 2048 bits or more")
    }
}
