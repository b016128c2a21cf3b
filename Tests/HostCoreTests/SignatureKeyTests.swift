import Foundation
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct SignatureKeyTests {
    private func sign(
        _ text: String, _ key: String, _ algorithm: Permissions.SignatureAlgorithm
    ) throws(SignatureKey.Fault) -> [UInt8] {
        try SignatureKey.sign(Array(text.utf8), with: SecretBytes(copying: Array(key.utf8)), as: algorithm)
    }

    /// RFC 4231 section 4, the cases whose keys are longer and shorter than a block.
    @Test func hmacIsThatOfTheRFC() throws {
        let long = [UInt8](repeating: 0xAA, count: 131)
        let cases: [([UInt8], String, String)] = [
            (
                [UInt8](repeating: 0x0B, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                long, "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, text, code) in cases {
            #expect(key.withUnsafeBytes { Hex.text(SignatureKey.hmac(Array(text.utf8), key: $0)) } == code)
        }
        let block = [UInt8](repeating: 1, count: 64)
        #expect(block.withUnsafeBytes { SignatureKey.hmac([], key: $0) }.count == 32)
    }

    @Test(arguments: ["pkcs8", "pkcs1"]) func rsaSignaturesAreThoseOfAnotherLibrary(form: String) throws {
        let text = "symbol=BTCUSDT&side=SELL&timestamp=1668481559918"
        let answer = try SignatureOracle.ask("rsa", ["text": .string(text), "form": .string(form), "bits": 2_048])
        let pem = try #require(answer["pem"]?.stringValue)
        #expect(SignatureKey.algorithm(of: SecretBytes(copying: Array(pem.utf8))) == .rsaSHA256)
        let signature = try sign(text, pem, .rsaSHA256)
        #expect(Data(signature).base64EncodedString() == answer["signature"]?.stringValue)
        #expect(throws: SignatureKey.Fault.self) { try sign(text, pem, .ed25519) }
    }

    @Test func aShortRSAKeyIsRefused() throws {
        let answer = try SignatureOracle.ask("rsa", ["text": "x", "form": "pkcs8", "bits": 1_024])
        let pem = try #require(answer["pem"]?.stringValue)
        let fault = refusal { () throws(SignatureKey.Fault) in try sign("x", pem, .rsaSHA256) }
        #expect(fault?.reason == "it is no RSA private key of 2048 bits or more")
    }

    /// The private key of Binance's FIX example, as PKCS#8 version 1 and with its public half as version 2 (RFC 8410).
    @Test func ed25519SignaturesAreThoseOfAnotherLibrary() throws {
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u
            -----END PRIVATE KEY-----
            """
        let text = "A\u{1}EXAMPLE\u{1}SPOT\u{1}1\u{1}20240627-11:17:25.223"
        let expected = "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="
        #expect(SignatureKey.algorithm(of: SecretBytes(copying: Array(pem.utf8))) == .ed25519)
        #expect(Data(try sign(text, pem, .ed25519)).base64EncodedString() == expected)
        let other = try SignatureOracle.ask("ed25519", ["pem": .string(pem), "text": .string(text)])
        #expect(other["signature"]?.stringValue == expected)
    }

    @Test func aTextIsASecretForHMAC() {
        for text in ["secret", "----BEGIN", "-----BEGIN"] {
            #expect(SignatureKey.algorithm(of: SecretBytes(copying: Array(text.utf8))) == .hmacSHA256)
        }
    }

    @Test(arguments: 0..<48) func aDamagedEd25519KeyNeverTraps(position: Int) throws {
        var der = [UInt8](
            [0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20])
        der += [UInt8](repeating: 7, count: 32)
        der.removeSubrange(position...)
        let pem = "-----BEGIN PRIVATE KEY-----\n\(Data(der).base64EncodedString())\n-----END PRIVATE KEY-----"
        #expect(throws: SignatureKey.Fault.self) { try sign("x", pem, .ed25519) }
    }
}
