import Testing

@testable import HostCore

@Suite struct UTCTimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_263_025, "2026-11-21T12:10:25Z"),
        (.max, "9999-12-31T23:59:59Z"),
    ])
    func secondsAreWrittenAsRFC3339(seconds: Int, text: String) {
        #expect(UTCTime.text(seconds) == text)
    }

    @Test(
        arguments: [
            (0, "19700101T000000Z", "1970-01-01T00:00:00.000Z"),
            (1_440_938_160_000, "20150830T123600Z", "2015-08-30T12:36:00.000Z"),
            (1_709_164_799_009, "20240228T235959Z", "2024-02-28T23:59:59.009Z"),
            (1_709_164_800_000, "20240229T000000Z", "2024-02-29T00:00:00.000Z"),
            (4_102_444_800_999, "21000101T000000Z", "2100-01-01T00:00:00.999Z"),
        ] as [(UInt64, String, String)])
    func aMomentHasOneSpellingInEachFormat(milliseconds: UInt64, basic: String, extended: String) {
        let time = UTCTime(unixMilliseconds: milliseconds)
        #expect(time.basic == basic)
        #expect(time.extended == extended)
        #expect(time.date == String(basic.prefix(8)))
    }
}
