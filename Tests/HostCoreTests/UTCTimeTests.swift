import Testing

@testable import HostCore

@Suite struct UTCTimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_263_025, "2026-11-21T12:10:25Z"),
    ])
    func secondsAreWrittenAsRFC3339(seconds: Int, text: String) {
        #expect(UTCTime.text(seconds) == text)
    }
}
