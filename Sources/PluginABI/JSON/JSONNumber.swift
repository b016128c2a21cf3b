/// A JSON number as it was written: `0.10` stays `0.10`, and no digit of a large integer is lost.
public struct JSONNumber: Sendable, CustomStringConvertible {
    public let text: String

    public init(_ value: Int) { text = String(value) }

    /// A finite double in its shortest form; nil for infinities and NaN, which JSON cannot write.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = "\(value)"
    }

    /// The caller has checked the RFC 8259 grammar.
    init(verified text: String) { self.text = text }

    public var description: String { text }

    /// True for `12`, `12.0` and `1e400`: any number without a fraction (JSON Schema 2020-12 section 4.2.3).
    public var isInteger: Bool { Int64(text) != nil || decimal.exponent >= 0 }

    /// The value if it is an integer that fits 64 bits.
    public var integer: Int64? {
        if let value = Int64(text) { return value }
        let decimal = decimal
        guard decimal.exponent >= 0, decimal.exponent < 19 else { return nil }
        let digits = String(decoding: decimal.digits, as: UTF8.self)
        return Int64((decimal.isNegative ? "-0" : "0") + digits + String(repeating: "0", count: decimal.exponent))
    }

    /// The nearest double; a magnitude beyond its range reads as infinity.
    public var double: Double { Double(text) ?? .nan }
}

/// Equality and order are those of the exact value: nothing passes through a double.
extension JSONNumber: Comparable, Hashable {
    public static func == (left: JSONNumber, right: JSONNumber) -> Bool {
        left.text == right.text || left.decimal == right.decimal
    }

    public static func < (left: JSONNumber, right: JSONNumber) -> Bool { left.decimal < right.decimal }

    public func hash(into hasher: inout Hasher) { hasher.combine(decimal) }

    /// The one form of a value: ± digits × 10^exponent, no zero at either end of the digits; zero has none.
    private struct Decimal: Hashable {
        var isNegative = false
        var digits: ArraySlice<UInt8> = []
        var exponent = 0

        /// Where the first digit stands, for comparing magnitudes.
        private var height: Int { exponent + digits.count }
        private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

        static func < (left: Decimal, right: Decimal) -> Bool {
            guard left.sign == right.sign else { return left.sign < right.sign }
            let (small, large) = left.isNegative ? (right, left) : (left, right)
            guard small.height == large.height else { return small.sign != 0 && small.height < large.height }
            return small.digits.lexicographicallyPrecedes(large.digits)
        }
    }

    /// Exponents that no practical number has are held at the ends of this range.
    private static let exponentRange = -1 << 40...1 << 40

    private var decimal: Decimal {
        var decimal = Decimal()
        var digits: [UInt8] = []
        var fraction = 0
        var isFraction = false
        var rest = text.utf8[...]
        scan: while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "-"): decimal.isNegative = true
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
            default:
                if isFraction { fraction += 1 }
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
            }
        }
        let zeros = digits.reversed().prefix { $0 == UInt8(ascii: "0") }.count
        decimal.digits = digits.dropLast(zeros)
        guard !decimal.digits.isEmpty else { return Decimal() }
        decimal.exponent = Self.exponent(rest) - fraction + zeros
        return decimal
    }

    private static func exponent(_ text: Substring.UTF8View) -> Int {
        guard !text.isEmpty else { return 0 }
        let isNegative = text.first == UInt8(ascii: "-")
        let value = Int(Substring(text)) ?? (isNegative ? exponentRange.lowerBound : exponentRange.upperBound)
        return min(max(value, exponentRange.lowerBound), exponentRange.upperBound)
    }
}
