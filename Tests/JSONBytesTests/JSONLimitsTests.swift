import JSONBytes
import Testing

@Suite struct JSONLimitsTests {
    @Test func theStandardLimitsAreThoseOfTheSpecification() {
        #expect(JSONLimits.standard.bytes == 8 << 20)
        #expect(JSONLimits.standard.depth == 64)
        #expect(JSONLimits.standard.values == 200_000)
    }

    @Test func anErrorIsOneSentenceWithItsPlace() {
        do {
            _ = try JSONValue(parsing: "{\"a\":01}")
            Issue.record("01 was accepted")
        } catch {
            #expect(error.description == "expected , or } in an object (at byte 6)")
        }
    }
}
