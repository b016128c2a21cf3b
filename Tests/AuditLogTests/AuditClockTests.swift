import Testing

@testable import AuditLog

@Suite struct AuditClockTests {
    @Test func timesAreWrittenInOneWidthAndSortAsText() throws {
        let times = (0..<50).map { _ in AuditClock.now() }
        #expect(times == times.sorted())
        for time in times { #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil) }
    }
}
