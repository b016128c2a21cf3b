import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct PEMTests {
    private func der(_ text: String) -> String {
        do throws(SignatureKey.Fault) {
            return try PEM.withDER(SecretBytes(copying: Array(text.utf8))) { Hex.text($0) }
        } catch {
            return error.reason
        }
    }

    @Test func theBytesBetweenTheLinesAreDecoded() {
        let bytes = (0..<100).map { UInt8($0) }
        for count in [0, 1, 2, 3, 47, 48, 49, 100] {
            let base64 = Data(bytes.prefix(count)).base64EncodedString(options: .lineLength64Characters)
            for end in ["\n", "\r\n"] {
                let text = ["-----BEGIN PRIVATE KEY-----", base64, "-----END PRIVATE KEY-----"].joined(separator: end)
                #expect(der(text) == Hex.text(bytes.prefix(count)), "\(count)")
            }
        }
        #expect(der("-----BEGIN RSA PRIVATE KEY-----\nAQID\n-----END RSA PRIVATE KEY-----\n") == "010203")
    }

    @Test func whatIsNoPrivateKeyIsRefusedInWords() {
        #expect(der("hunter2") == "it is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
        #expect(der("") == "it is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
        let other = "it is encrypted or no private key; needed is -----BEGIN PRIVATE KEY-----"
        #expect(der("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END") == other)
        #expect(der("-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----") == other)
        let cut = "its PEM is cut off or not base64; store the whole file"
        #expect(der("-----BEGIN PRIVATE KEY-----\nAQID") == cut)
        #expect(der("-----BEGIN PRIVATE KEY-----\nAQ$D\n-----END PRIVATE KEY-----") == cut)
    }
}
