internal import JSONBytes
internal import PluginABI

/// The forms in which a secret may turn up in text: as it is, as JSON escapes it (to the least, and to ASCII only), in
/// hexadecimal of either case, percent-encoded, and in base64 of both alphabets wherever in the encoded text it stands.
enum SecretForms {
    /// Lends each form; it is overwritten afterwards.
    static func each(of secret: SecretBytes, _ body: ([UInt8]) -> Void) {
        secret.withBytes { bytes in
            lend(bytes.count, body) { $0.append(contentsOf: bytes) }
            if bytes.contains(where: { $0 < 0x20 || $0 == quote || $0 == backslash || $0 > 0x7E }) {
                lend(bytes.count * 12, body) { escape(bytes, into: &$0) }
            }
            if bytes.contains(where: { $0 > 0x7E }) { lend(bytes.count * 12, body) { escapeAll(bytes, into: &$0) } }
            for digits in [lower, upper] {
                lend(bytes.count * 2, body) { form in
                    for byte in bytes { form += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
                }
            }
            if !bytes.allSatisfy(PercentEncoding.isUnreserved) {
                lend(bytes.count * 3, body) { percent(bytes, into: &$0) }
            }
            for alphabet in [base64, base64URL] {
                for offset in 0..<3 {
                    lend(bytes.count * 2, body) { base64(bytes, after: offset, alphabet, into: &$0) }
                }
            }
        }
    }

    /// Room for the whole form at once: an array that grows leaves copies behind.
    private static func lend(_ capacity: Int, _ body: ([UInt8]) -> Void, _ write: (inout [UInt8]) -> Void) {
        var form: [UInt8] = []
        form.reserveCapacity(capacity)
        write(&form)
        body(form)
        form.wipe()
    }

    /// As this host's JSON does. Text beyond ASCII goes through a string, of which a copy may stay in memory.
    private static func escape(_ bytes: UnsafeRawBufferPointer, into form: inout [UInt8]) {
        guard bytes.allSatisfy({ $0 < 0x7F }) else {
            guard let text = String(validating: bytes, as: UTF8.self) else { return }
            form += JSONValue.string(text).encoded().dropFirst().dropLast()
            return
        }
        for byte in bytes { escape(UInt16(byte), into: &form) }
    }

    /// As JSON that is ASCII only has it: `\u00e9` for é, pairs of surrogates beyond the first plane.
    private static func escapeAll(_ bytes: UnsafeRawBufferPointer, into form: inout [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        for unit in text.utf16 { escape(unit, into: &form) }
    }

    private static func escape(_ unit: UInt16, into form: inout [UInt8]) {
        switch unit {
        case 0x22, 0x5C: form += [backslash, UInt8(unit)]
        case 0x08, 0x09, 0x0A, 0x0C, 0x0D: form += [backslash, short[Int(unit) - 0x08]]
        case 0x20...0x7E: form.append(UInt8(unit))
        default:
            form += [backslash, UInt8(ascii: "u")]
            for shift in [12, 8, 4, 0] as [UInt16] { form.append(lower[Int(unit >> shift & 15)]) }
        }
    }

    private static func percent(_ bytes: UnsafeRawBufferPointer, into form: inout [UInt8]) {
        for byte in bytes {
            if PercentEncoding.isUnreserved(byte) {
                form.append(byte)
            } else {
                form += [UInt8(ascii: "%"), upper[Int(byte >> 4)], upper[Int(byte & 15)]]
            }
        }
    }

    /// The digits that the secret alone decides, if `offset` bytes (modulo 3) stand before it in what is encoded.
    private static func base64(
        _ bytes: UnsafeRawBufferPointer, after offset: Int, _ alphabet: [UInt8], into form: inout [UInt8]
    ) {
        let (first, end) = ((offset * 8 + 5) / 6, (offset + bytes.count) * 8 / 6)
        for digit in first..<max(first, end) {
            let bit = digit * 6 - offset * 8
            let high = UInt16(bytes[bit / 8]) << 8
            let low = bit / 8 + 1 < bytes.count ? UInt16(bytes[bit / 8 + 1]) : 0
            form.append(alphabet[Int((high | low) >> UInt16(10 - bit % 8) & 63)])
        }
    }

    private static let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
    private static let (lower, upper) = (Array("0123456789abcdef".utf8), Array("0123456789ABCDEF".utf8))
    private static let short = Array("btn?fr".utf8)
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    private static let base64 = letters + Array("+/".utf8)
    private static let base64URL = letters + Array("-_".utf8)
}
