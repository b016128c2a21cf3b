import Testing

@testable import HostCore

@Suite struct HealthCheckTests {
    /// What follows from the ticks at some times.
    private func ticks(_ times: [UInt64], _ check: inout HealthCheck) -> [HealthCheck.Action] {
        times.map { check.tick(now: $0) }
    }

    @Test func pingsFollowOneAnotherAsTheyAreAnswered() {
        var check = HealthCheck()
        let first = ticks([1_000], &check)
        check.heard(1)
        let second = ticks([3_000], &check)
        #expect(first + second == [.ping(nonce: 1), .ping(nonce: 2)])
    }

    @Test func unansweredPingIsToldOnceAndAgainForTheNext() {
        var check = HealthCheck()
        let first = ticks([0, 4_999, 5_000, 9_000], &check)
        #expect(first == [.ping(nonce: 1), .wait, .blocked(milliseconds: 5_000), .wait])
        check.heard(1)
        let second = ticks([10_000, 16_000], &check)
        #expect(second == [.ping(nonce: 2), .blocked(milliseconds: 6_000)])
    }

    @Test func pongToAnotherPingCountsForNothing() {
        var check = HealthCheck()
        _ = ticks([0], &check)
        check.heard(99)
        let next = ticks([5_000], &check)
        #expect(next == [.blocked(milliseconds: 5_000)])
    }
}
