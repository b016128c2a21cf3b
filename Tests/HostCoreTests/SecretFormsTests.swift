import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct SecretFormsTests {
    private static let secrets = [
        "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j", "p?ss wörd/+\"\\\n", "12345678",
        "~~>>??~~>>??",
    ]

    private func redactor(_ secret: String) -> Redactor {
        let redactor = Redactor()
        redactor.learn([Credential(name: "key", value: SecretBytes(copying: Array(secret.utf8)))])
        return redactor
    }

    /// What is left of a text in which the secret stands encoded, made by another implementation.
    @Test(arguments: secrets) func everyFormIsRecognised(secret: String) throws {
        let redactor = redactor(secret)
        let hex = secret.utf8.map { String(format: "%02x", $0) }.joined()
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        let url = try #require(secret.addingPercentEncoding(withAllowedCharacters: unreserved))
        for form in [secret, hex, hex.uppercased(), url] {
            #expect(redactor.redact("<\(form)>") == "<[redacted]>", "\(form)")
        }
    }

    @Test func jsonOfASCIIOnlyIsRecognised() {
        #expect(redactor("p\"ä\n𝄞\u{1}x/y").redact(#"<p\"\u00e4\n\ud834\udd1e\u0001x/y>"#) == "<[redacted]>")
        #expect(redactor("only\\ascii\u{7F}").redact(#"<only\\ascii\u007f>"#) == "<[redacted]>")
    }

    @Test(arguments: secrets) func inBase64ItIsRecognisedWhereverItStands(secret: String) {
        let redactor = redactor(secret)
        for before in ["", "u", "us", "user:", "user@a:"] {
            for after in ["", "!", "!!", " and more"] {
                let encoded = Data((before + secret + after).utf8).base64EncodedString()
                let url = encoded.replacing("+", with: "-").replacing("/", with: "_")
                for text in [encoded, url] {
                    let clean = redactor.redact(text)
                    #expect(clean.contains("[redacted]"), "\(before) \(after)")
                    // At most one digit of four on either side has bits of the secret too.
                    #expect(clean.count <= text.count - secret.utf8.count * 8 / 6 + 2 + "[redacted]".count)
                }
            }
        }
    }

    @Test func formsAreMadeInOneAllocation() {
        let secret = SecretBytes(copying: (0..<200).map { UInt8($0 % 128) })
        SecretForms.each(of: secret) { form in
            #expect(form.capacity >= form.count && form.capacity < secret.count * 16, "it grew")
        }
    }
}
