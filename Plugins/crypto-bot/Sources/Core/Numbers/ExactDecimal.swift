/// A decimal number without rounding: `coefficient` × 10^-`scale`. Money is never a binary fraction here.
struct ExactDecimal: Sendable {
    private let coefficient: Int128
    private let scale: Int

    static let zero = ExactDecimal(coefficient: 0, scale: 0)
    /// The exchange writes 8 decimals; more than this is a mistake rather than a price.
    static let maximumDecimals = 12
    static let maximumWholeDigits = 15

    /// The number does not fit 128 bits: no price times no quantity on any market comes near.
    struct Overflow: Error {}

    /// Trailing zeros go, so that equal numbers have equal parts.
    private init(coefficient: Int128, scale: Int) {
        var coefficient = coefficient
        var scale = scale
        while scale > 0, coefficient % 10 == 0 {
            coefficient /= 10
            scale -= 1
        }
        self.coefficient = coefficient
        self.scale = scale
    }

    /// Reads `digits[.digits]` and nothing else: no sign, exponent, spaces or digits of other scripts.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, (1...Self.maximumWholeDigits).contains(whole.count) else {
            return nil
        }
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard parts.count == 1 || (1...Self.maximumDecimals).contains(fraction.count) else { return nil }
        var value: Int128 = 0
        for byte in Array(whole) + fraction {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int128(byte - UInt8(ascii: "0"))
        }
        self.init(coefficient: value, scale: fraction.count)
    }

    var isZero: Bool { coefficient == 0 }

    func plus(_ other: ExactDecimal) throws(Overflow) -> ExactDecimal {
        let (left, right, scale) = try Self.aligned(self, other)
        let (sum, overflow) = left.addingReportingOverflow(right)
        guard !overflow else { throw Overflow() }
        return ExactDecimal(coefficient: sum, scale: scale)
    }

    /// May go below zero.
    func minus(_ other: ExactDecimal) throws(Overflow) -> ExactDecimal {
        try plus(ExactDecimal(coefficient: -other.coefficient, scale: other.scale))
    }

    func times(_ other: ExactDecimal) throws(Overflow) -> ExactDecimal {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: other.coefficient)
        guard !overflow else { throw Overflow() }
        return ExactDecimal(coefficient: product, scale: scale + other.scale)
    }

    /// True if `self` is a whole number of steps. A step of zero allows every number, as on the exchange.
    func isMultiple(of step: ExactDecimal) throws(Overflow) -> Bool {
        let (value, step, _) = try Self.aligned(self, step)
        return step == 0 || value % step == 0
    }

    /// The largest whole number of steps that is not more than `self`.
    func roundedDown(to step: ExactDecimal) throws(Overflow) -> ExactDecimal {
        let (value, step, scale) = try Self.aligned(self, step)
        return step == 0 ? self : ExactDecimal(coefficient: value - value % step, scale: scale)
    }

    /// Both coefficients at the larger of the two scales.
    private static func aligned(
        _ left: ExactDecimal, _ right: ExactDecimal
    ) throws(Overflow) -> (left: Int128, right: Int128, scale: Int) {
        let scale = max(left.scale, right.scale)
        return (try left.coefficient(at: scale), try right.coefficient(at: scale), scale)
    }

    private func coefficient(at wanted: Int) throws(Overflow) -> Int128 {
        var value = coefficient
        for _ in scale..<wanted {
            let (larger, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { throw Overflow() }
            value = larger
        }
        return value
    }
}

extension ExactDecimal: Comparable {
    static func == (left: ExactDecimal, right: ExactDecimal) -> Bool {
        left.coefficient == right.coefficient && left.scale == right.scale
    }

    /// Compares whole parts first and only then, at one scale, what is left: that cannot overflow.
    static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let (leftUnit, rightUnit) = (power(left.scale), power(right.scale))
        let (leftWhole, rightWhole) = (left.coefficient / leftUnit, right.coefficient / rightUnit)
        if leftWhole != rightWhole { return leftWhole < rightWhole }
        let (leftRest, rightRest) = (left.coefficient % leftUnit, right.coefficient % rightUnit)
        let scale = max(left.scale, right.scale)
        return leftRest * power(scale - left.scale) < rightRest * power(scale - right.scale)
    }

    /// 10^exponent; scales stay below 37, because a product has at most twice the decimals of its factors.
    private static func power(_ exponent: Int) -> Int128 { (0..<max(0, exponent)).reduce(1) { value, _ in value * 10 } }
}

extension ExactDecimal: CustomStringConvertible {
    /// Plain digits, without an exponent and without trailing zeros.
    var description: String {
        let digits = String(coefficient.magnitude)
        let sign = coefficient < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
    }
}
