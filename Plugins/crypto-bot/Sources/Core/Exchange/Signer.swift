internal import Crypto
internal import PluginSDK

/// Signs requests as the exchange's REST API asks: HMAC-SHA256 in hex over query and body, one after the other with
/// nothing between, in the encoded form that travels (Binance Spot API, request security).
final class Signer: Sendable {
    private let secret: CredentialValue

    init(secret: consuming CredentialValue) { self.secret = secret }

    func signature(query: String, body: String = "") -> String {
        // SymmetricKey copies the secret once and overwrites its copy when it goes.
        let key = secret.withBytes { SymmetricKey(data: $0) }
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array(query.utf8))
        code.update(data: Array(body.utf8))
        return Hex.encoded(code.finalize())
    }
}

/// Lower-case hexadecimal.
enum Hex {
    static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
