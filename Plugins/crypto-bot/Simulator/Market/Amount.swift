/// Money and quantities: an exact count of hundred-millionths. No operation rounds unless its name says so.
struct Amount: Sendable, Hashable, Comparable {
    let units: Int128

    static let zero = Amount(units: 0)
    static let decimals = 8
    private static let one: Int128 = 100_000_000

    init(units: Int128) { self.units = units }

    /// `Amount(5, e: -2)` is 0.05. For tables in the source: the exponent is at least -8.
    init(_ mantissa: Int, e exponent: Int = 0) {
        units = (0..<max(0, Self.decimals + exponent)).reduce(Int128(mantissa)) { value, _ in value * 10 }
    }

    /// Reads `digits[.digits]`, at most 20 of them before the point; nil if there are more than 8 after it.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2, (1...20).contains(whole.count) else { return nil }
        let fraction = parts.count == 2 ? Array(parts[1]) : [UInt8(ascii: "0")]
        guard (1...Self.decimals).contains(fraction.count) else { return nil }
        let padding = repeatElement(UInt8(ascii: "0"), count: Self.decimals - fraction.count)
        var value: Int128 = 0
        for byte in Array(whole) + fraction + padding {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int128(byte - 0x30)  // 28 digits at most: far inside 128 bits
        }
        units = value
    }

    static func < (left: Amount, right: Amount) -> Bool { left.units < right.units }

    func plus(_ other: Amount) throws(APIError) -> Amount {
        let (sum, overflow) = units.addingReportingOverflow(other.units)
        guard !overflow else { throw .invalidQuantity }
        return Amount(units: sum)
    }

    func minus(_ other: Amount) throws(APIError) -> Amount { try plus(Amount(units: -other.units)) }

    /// The product, cut off after the eighth decimal.
    func timesRoundedDown(_ other: Amount) throws(APIError) -> Amount {
        let (product, overflow) = units.multipliedReportingOverflow(by: other.units)
        guard !overflow else { throw .invalidQuantity }
        return Amount(units: product / Self.one)
    }

    /// How much of something at this price `budget` buys, cut down to a multiple of `step`.
    func affordable(with budget: Amount, step: Amount) throws(APIError) -> Amount {
        let (scaled, overflow) = budget.units.multipliedReportingOverflow(by: Self.one)
        guard !overflow, units > 0 else { throw .invalidQuantity }
        return Amount(units: scaled / units).roundedDown(to: step)
    }

    func roundedDown(to step: Amount) -> Amount {
        step.units > 0 ? Amount(units: units - units % step.units) : self
    }

    func isMultiple(of step: Amount) -> Bool { step.units == 0 || units % step.units == 0 }
}

extension Amount: CustomStringConvertible {
    /// Always eight decimals, as the exchange writes them.
    var description: String {
        let fraction = String(units.magnitude % UInt128(Self.one))
        let sign = units < 0 ? "-" : ""
        let padding = String(repeating: "0", count: Self.decimals - fraction.count)
        return "\(sign)\(units.magnitude / UInt128(Self.one)).\(padding)\(fraction)"
    }
}
