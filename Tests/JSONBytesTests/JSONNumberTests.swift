import JSONBytes
import Testing

@Suite struct JSONNumberTests {
    private func number(_ text: String) throws -> JSONNumber {
        try #require(try JSONValue(parsing: text).numberValue)
    }

    @Test(arguments: ["0", "-0", "0.10", "1E5", "1e+05", "123456789012345678901234567890", "-0.000", "1e-400", "1e400"])
    func theTextOfANumberIsKept(_ text: String) throws {
        #expect(try number(text).text == text)
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test func integersAreExactOrAbsent() throws {
        #expect(try number("9223372036854775807").integer == .max)
        #expect(try number("-9223372036854775808").integer == .min)
        #expect(try number("9223372036854775808").integer == nil)
        #expect(try number("12.0").integer == 12)
        #expect(try number("1.2e1").integer == 12)
        #expect(try number("120e-1").integer == 12)
        #expect(try number("1.5").integer == nil)
        #expect(try number("9007199254740993.0").integer == 9_007_199_254_740_993)
        #expect(try number("1e18").integer == 1_000_000_000_000_000_000)
        #expect(try number("1e19").integer == nil)
        #expect(try number("0e999999999999").integer == 0)
    }

    @Test func anIntegerBeyond64BitsIsStillAnInteger() throws {
        // JSON Schema 2020-12 section 6.1.1: any number with a zero fraction.
        #expect(try number("18446744073709551616").isInteger)
        #expect(try number("1e400").isInteger)
        #expect(!(try number("1e-400").isInteger))
        #expect(!(try number("18446744073709551616.5").isInteger))
    }

    @Test func equalityIsThatOfTheValueAndNotOfTheText() throws {
        #expect(try number("1.0") == number("1"))
        #expect(try number("1e2") == number("100"))
        #expect(try number("-0") == number("0.00"))
        #expect(try number("0.1") == number("1e-1"))
        #expect(try number("-1") != number("1"))
    }

    @Test func integersThatRoundToTheSameDoubleAreDifferent() throws {
        #expect(try number("9007199254740993") != number("9007199254740992"))
        #expect(try number("1e400") != number("1e500"))
        #expect(try number("0.1") != number("0.1000000000000000000001"))
    }

    @Test func hugeExponentsNeverTrap() throws {
        for text in [
            "1e99999999999999999999", "1e-99999999999999999999", "-1E+9223372036854775807", "1e9223372036854775808",
        ] {
            let value = try number(text)
            _ = (value.isInteger, value.integer, value.double, value == value, value.hashValue)
        }
        #expect(try number("1e99999").double == .infinity)
        #expect(try number("1e-99999").double == 0)
    }

    @Test func aMillionDigitsAreRead() throws {
        let text = String(repeating: "9", count: 1_000_000)
        let value = try number(text)
        #expect(value.isInteger)
        #expect(value.integer == nil)
        #expect(value.double == .infinity)
    }

    @Test func orderIsExact() throws {
        let ascending = [
            "-1e400", "-10", "-9.5", "-1e-9", "0", "1e-400", "0.1", "0.11", "9", "9007199254740992",
            "9007199254740993", "1e400",
        ]
        for (index, text) in ascending.enumerated() {
            for later in ascending[(index + 1)...] {
                #expect(try number(text) < number(later), "\(text) < \(later)")
                #expect(!(try number(later) < number(text)), "\(later) < \(text)")
            }
            #expect(!(try number(text) < number(text)))
        }
    }

    @Test func whatJSONCannotWriteIsNoNumber() {
        #expect(JSONNumber(.infinity) == nil)
        #expect(JSONNumber(-.infinity) == nil)
        #expect(JSONNumber(.nan) == nil)
        #expect(JSONNumber(0.1)?.text == "0.1")
    }
}
