/// What a parameter may look like, with the pattern that the exchange names when it refuses one (-1100).
struct Shape: Sendable {
    let legalRange: String
    let accepts: @Sendable (String) -> Bool

    static let any = Shape(legalRange: "") { _ in true }

    static let integer = Shape(legalRange: "^[0-9]{1,20}$") { isDigits($0.utf8) }

    static let decimal = Shape(legalRange: #"^([0-9]{1,20})(\.[0-9]{1,20})?$"#) { isDecimal($0, fraction: 20) }

    static let receiveWindow = Shape(legalRange: #"^([0-9]{1,20})(\.[0-9]{1,3})?$"#) { isDecimal($0, fraction: 3) }

    static let symbol = Shape(legalRange: "^\(symbolClass){1,50}$", accepts: isSymbol)

    static let symbols = Shape(
        legalRange: "^\\[(\"\(symbolClass){1,50}\"(,\"\(symbolClass){1,50}\"){0,}){0,1}\\]$"
    ) { !symbolList($0).isEmpty }

    static let clientOrderId = Shape(legalRange: "^[a-zA-Z0-9-_]{1,36}$") { text in
        (1...36).contains(text.utf8.count)
            && text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") }
    }

    /// `["A","B"]` taken apart, with no space anywhere; empty if the text is not such a list.
    static func symbolList(_ text: String) -> [String] {
        guard text.hasPrefix("[\""), text.hasSuffix("\"]"), text.utf8.count > 4 else { return [] }
        let inner = text.dropFirst(2).dropLast(2)
        var names: [String] = []
        for (position, part) in inner.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if position % 2 == 1 {
                guard part == "," else { return [] }
            } else {
                guard isSymbol(String(part)) else { return [] }
                names.append(String(part))
            }
        }
        return names
    }

    // Since 2025-12 a symbol may hold any word character of Unicode that is not a lower case ASCII letter.
    private static let symbolClass = #"[\w\-._&&[^a-z]]"#

    private static func isSymbol(_ text: String) -> Bool {
        (1...50).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { scalar in
                if "a"..."z" ~= scalar { return false }
                if "_-.".unicodeScalars.contains(scalar) { return true }
                return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            }
    }

    private static func isDecimal(_ text: String, fraction: Int) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ isDigits($0) }) else { return false }
        return parts.count == 1 || parts[1].count <= fraction
    }

    private static func isDigits(_ bytes: some Collection<UInt8>) -> Bool {
        (1...20).contains(bytes.count) && bytes.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
}
