/// Percent-encoding of RFC 3986 section 2, in the one spelling that signatures want: every byte but the unreserved
/// ones, in upper-case hexadecimal.
enum PercentEncoding {
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func encoded(_ text: some StringProtocol) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count * 3)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Lenient, as servers are: what is no escape stays, and a plus is a space.
    static func decoded(_ text: some StringProtocol) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = Hex.bytes(String(decoding: bytes[index + 1...index + 2], as: UTF8.self))
            {
                output += byte
                index += 3
            } else {
                output.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Whether a text is a query by RFC 3986 section 3.4: then an HTTP library sends it as it is.
    static func isQuery(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, rest.prefix(2).allSatisfy(isHexDigit) else { return false }
                rest.removeFirst(2)
            } else if !isUnreserved(byte), !"!$&'()*+,;=:@/?".utf8.contains(byte) {
                return false
            }
        }
        return true
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit }

    /// Whether a query is a list of `name=value` in this spelling already.
    static func isCanonical(query: String) -> Bool {
        query.split(separator: "&").allSatisfy { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return sides.allSatisfy { encoded(strictlyDecoded($0)) == $0 }
        }
    }

    private static func strictlyDecoded(_ text: Substring) -> String {
        // A plus is no space where it has to be written %20.
        decoded(String(text.map { $0 == "+" ? "\u{FFFD}" : $0 }))
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
}
