internal import PluginABI

/// A private key in PEM (RFC 7468), decoded into memory that is overwritten afterwards.
enum PEM {
    static func isPEM(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: "-----BEGIN ".utf8) }

    /// Lends the DER of an unencrypted key: PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    static func withDER<Result>(
        _ key: SecretBytes, _ body: (UnsafeRawBufferPointer) throws(SignatureKey.Fault) -> Result
    ) throws(SignatureKey.Fault) -> Result {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(key.count, 1), alignment: 16)
        defer {
            SecretBytes.wipe(buffer)
            buffer.deallocate()
        }
        let count = try key.withBytes { (text) throws(SignatureKey.Fault) in try decode(text, into: buffer) }
        return try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    private static func decode(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(SignatureKey.Fault) -> Int {
        let labels = ["PRIVATE KEY", "RSA PRIVATE KEY"]
        guard let label = labels.first(where: { text.starts(with: "-----BEGIN \($0)-----".utf8) }) else {
            throw SignatureKey.Fault(
                reason: isPEM(text)
                    ? "it is encrypted or no private key; needed is -----BEGIN PRIVATE KEY-----"
                    : "it is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
        }
        var (bits, held, count) = (UInt32(0), 0, 0)
        defer { bits = 0 }
        for byte in text["-----BEGIN \(label)-----".utf8.count...] {
            if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "=") { return count }
            if byte <= 0x20 { continue }
            guard let value = value(of: byte) else { break }
            bits = bits << 6 | value
            held += 6
            if held >= 8 {
                held -= 8
                output[count] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
                count += 1
            }
        }
        throw SignatureKey.Fault(reason: "its PEM is cut off or not base64; store the whole file")
    }

    /// Of a digit of base64 (RFC 4648 section 4).
    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
