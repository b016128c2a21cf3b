internal import Crypto
internal import FoundationEssentials

/// The random and keyed parts of a form: tokens, pairing codes, the mark against forged posts, and the state that an
/// agent carries for us. The keys are of this process: after a restart every form has ended anyway.
public struct SecretRequestKeys: Sendable {
    private let csrfKey = SymmetricKey(size: .bits256)
    private let stateKey = SymmetricKey(size: .bits256)

    public init() {}

    /// 256 random bits, in hexadecimal.
    public static func random() -> String { Hex.text(RandomBytes.make(32)) }

    static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// The value of the form's hidden field: it goes with this cookie and this token, and with no other.
    public func csrf(cookie: String, token: String) -> String {
        let message = Array("\(cookie.utf8.count):\(cookie)\(token)".utf8)
        return Hex.text(HMAC<SHA256>.authenticationCode(for: message, using: csrfKey))
    }

    public func isCSRF(_ value: String, cookie: String, token: String) -> Bool {
        ConstantTime.equal(Array(value.utf8), Array(csrf(cookie: cookie, token: token).utf8))
    }

    /// Text that comes back as it went or not at all, and that nobody else can read (AES-256-GCM), bound to whom and
    /// what it was made for.
    public func seal(_ text: String, for binding: [String]) -> String? {
        let box = try? AES.GCM.seal(Array(text.utf8), using: stateKey, authenticating: Self.bytes(binding))
        return box?.combined.map { $0.base64EncodedString() }
    }

    public func open(_ state: String, for binding: [String]) -> String? {
        guard let data = Data(base64Encoded: state), let box = try? AES.GCM.SealedBox(combined: data),
            let plain = try? AES.GCM.open(box, using: stateKey, authenticating: Self.bytes(binding))
        else { return nil }
        return String(validating: plain, as: UTF8.self)
    }

    /// Each part with its length before it.
    private static func bytes(_ parts: [String]) -> [UInt8] {
        parts.flatMap { Array("\($0.utf8.count):\($0)".utf8) }
    }
}

/// The short code that binds a form to whoever asked for it: shown where the request was made, typed into the page.
/// Six of Crockford's 32 signs, 30 bits; with five attempts one guess in 200 million succeeds.
public enum PairingCode {
    static let signs = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    static func make() -> String {
        let signs = RandomBytes.make(6).map { Self.signs[Int($0 & 31)] }
        return String(signs[..<3]) + "-" + String(signs[3...])
    }

    /// As a person may type it: in small letters, with or without the dash, with O for 0 and I or L for 1.
    static func normal(_ text: String) -> String {
        String(
            text.uppercased().prefix(64).compactMap { sign -> Character? in
                switch sign {
                case "O": "0"
                case "I", "L": "1"
                case " ", "-", "\t": nil
                default: sign
                }
            })
    }

    static func hash(_ text: String) -> [UInt8] { SecretRequestKeys.hash("nexus-pairing-code:" + normal(text)) }
}
