import Testing

@testable import CryptoBotCore

@Suite struct ExactDecimalTests {
    private func number(_ text: String) throws -> ExactDecimal { try #require(ExactDecimal(text)) }

    @Test(arguments: [
        ("0.10", "0.1"), ("00012", "12"), ("0.00000000", "0"), ("97250.10000000", "97250.1"), ("100", "100"),
    ])
    func numbersReadAndWriteWithoutLoss(text: String, written: String) throws {
        #expect(try number(text).description == written)
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "+1", "1e5", "0x10", " 1", "1 ", "1,5", "1.2.3", "١", "1_000", "NaN",
        "0.1234567890123", "1234567890123456",
    ])
    func anythingButPlainDigitsIsRefused(text: String) { #expect(ExactDecimal(text) == nil) }

    @Test func tenthsAddUpExactly() throws {
        #expect(try number("0.1").plus(number("0.2")) == number("0.3"))
        #expect(try number("1").minus(number("0.9")) == number("0.1"))
        #expect(try number("1").minus(number("2")).description == "-1")
        #expect(try number("1").minus(number("1.05")).description == "-0.05")
    }

    @Test func productsAreExact() throws {
        #expect(try number("97250.10").times(number("0.00123")).description == "119.617623")
    }

    @Test func multiplesAreExactWhereBinaryFractionsAreNot() throws {
        // 0.3 % 0.1 is 0.0999… in binary.
        #expect(try number("0.3").isMultiple(of: number("0.1")))
        #expect(try !number("0.00123").isMultiple(of: number("0.0001")))
        #expect(try number("5").isMultiple(of: .zero))
    }

    @Test func roundingDownEndsOnAStep() throws {
        #expect(try number("0.00129").roundedDown(to: number("0.0001")).description == "0.0012")
        #expect(try number("0.00129").roundedDown(to: .zero).description == "0.00129")
    }

    @Test func comparisonHoldsAcrossScales() throws {
        #expect(try number("0.5") < number("0.51"))
        #expect(try number("10") > number("9.999999999999"))
        #expect(try number("1.0") == number("1"))
        #expect(try number("999999999999999") > number("0.000000000001"))
        #expect(try number("1").minus(number("3")) < number("1").minus(number("2.5")))
    }

    @Test func numbersBeyond128BitsAreAnErrorAndNoTrap() throws {
        let large = try number("999999999999999")
        let small = try number("0.000000000001")
        #expect(throws: ExactDecimal.Overflow.self) { try large.times(large).times(large) }
        #expect(throws: ExactDecimal.Overflow.self) { try large.times(large).plus(small.times(small)) }
    }
}
