import Crypto

/// Who sent a signed request: key format, then time, then key, then signature over the bytes of the wire.
enum Authentication {
    static let defaultWindow: Int64 = 5_000_000
    static let largestWindow: Int64 = 60_000_000
    static let aheadAllowed: Int64 = 1_000_000

    /// The account's key.
    static func identify(
        _ request: WireRequest, _ parameters: inout Parameters, accounts: [String: Account], at now: ServerTime
    ) throws(APIError) -> String {
        let key = request.headers["x-mbx-apikey"] ?? ""
        guard isKey(key) else { throw .malformedKey }
        let timestamp = try parameters.mandatory("timestamp", .integer)
        let window = try receiveWindow(parameters.optional("recvWindow", .receiveWindow))
        let signature = try parameters.mandatory("signature")
        try requireTimely(ServerTime(parameter: timestamp), window: window, now: now)
        guard let account = accounts[key] else { throw .unknownKey }
        guard isValid(signature, of: request, secret: account.secret) else { throw .wrongSignature }
        return key
    }

    static func isKey(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
    }

    /// Milliseconds with up to three decimals, as microseconds.
    private static func receiveWindow(_ text: String?) throws(APIError) -> Int64 {
        guard let text else { return defaultWindow }
        guard let amount = Amount(text) else { throw .receiveWindowTooLarge }
        let microseconds = amount.units / 100_000
        guard microseconds <= Int128(largestWindow) else { throw .receiveWindowTooLarge }
        return Int64(microseconds)
    }

    private static func requireTimely(_ sent: ServerTime, window: Int64, now: ServerTime) throws(APIError) {
        guard sent.microseconds < now.microseconds + aheadAllowed else { throw .requestAhead }
        guard now.microseconds - sent.microseconds <= window else { throw .requestTooOld }
    }

    /// HMAC-SHA256 over query and body, joined without a separator and without the signature; hex in either case.
    private static func isValid(_ signature: String, of request: WireRequest, secret: String) -> Bool {
        let digits = Array(signature.utf8)
        guard digits.count == 64 else { return false }
        var code: [UInt8] = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let high = FormEncoding.hexDigit(digits[place]), let low = FormEncoding.hexDigit(digits[place + 1])
            else { return false }
            code.append(high << 4 | low)
        }
        let payload =
            FormEncoding.removing("signature", from: request.query)
            + FormEncoding.removing("signature", from: request.body)
        return HMAC<SHA256>.isValidAuthenticationCode(
            code, authenticating: payload, using: SymmetricKey(data: Array(secret.utf8)))
    }
}
