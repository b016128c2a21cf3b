import Testing

@testable import HostCore

@Suite struct RestartPolicyTests {
    /// The longest wait each time.
    private func most(_ bound: UInt64) -> UInt64 { bound }

    private let patient = RestartPolicy.Limits(failures: 0)

    @Test func waitsDoubleFromNothingToTheirCap() {
        var policy = RestartPolicy(patient)
        var bounds: [UInt64] = []
        for now in UInt64(1)...14 {
            _ = policy.failed(now: now, ran: 0) { bound in
                bounds.append(bound)
                return bound
            }
        }
        #expect(
            bounds == [
                0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000, 30_000,
            ])
        for _ in 0..<100 { _ = policy.failed(now: 99, ran: 0, jitter: most) }
        #expect(policy.failed(now: 99, ran: 0, jitter: most) == .restart(afterMilliseconds: 30_000))
    }

    @Test func theWaitIsWhatTheJitterSaysAndPassesWithTheClock() {
        var policy = RestartPolicy(patient)
        #expect(policy.failed(now: 1_000, ran: 0, jitter: most) == .restart(afterMilliseconds: 0))
        #expect(policy.wait(now: 1_000) == nil)
        #expect(policy.failed(now: 1_000, ran: 0) { $0 - 30 } == .restart(afterMilliseconds: 70))
        #expect(policy.wait(now: 1_000) == 70)
        #expect(policy.wait(now: 1_069) == 1)
        #expect(policy.wait(now: 1_070) == nil)
    }

    /// Times of failures in seconds, and whether the last of them parks.
    @Test(
        arguments: [
            ([0, 1, 2, 3], false), ([0, 1, 2, 3, 4], true), ([0, 0, 0, 0, 0], true), ([0, 15, 30, 45, 59], true),
            ([0, 15, 30, 45, 60], false), ([0, 30, 31, 32, 61, 62], true), ([0, 20, 40, 60, 80, 100, 120], false),
        ] as [([UInt64], Bool)])
    func fiveFailuresWithinAMinutePark(seconds: [UInt64], isParked: Bool) {
        var policy = RestartPolicy()
        var last: RestartPolicy.Verdict?
        for second in seconds { last = policy.failed(now: 1_000 * second, ran: 0, jitter: most) }
        #expect((last == .park) == isParked && policy.isParked == isParked, "\(seconds)")
    }

    @Test func aMinuteOfRunningWellMakesTheNextFailureTheFirst() {
        var policy = RestartPolicy()
        for now in UInt64(0)..<4 { _ = policy.failed(now: now, ran: 0, jitter: most) }
        #expect(policy.failures == 4)
        #expect(policy.failed(now: 5, ran: 60_000, jitter: most) == .restart(afterMilliseconds: 0))
        #expect(policy.failures == 1)
        #expect(policy.failed(now: 6, ran: 59_999, jitter: most) == .restart(afterMilliseconds: 100))
    }

    @Test func anAdminsStartForgetsEverything() {
        var policy = RestartPolicy()
        for now in UInt64(0)..<5 { _ = policy.failed(now: now, ran: 0, jitter: most) }
        #expect(policy.isParked)
        policy.recovered()
        #expect(policy == RestartPolicy())
    }

    @Test func withoutLimitsNothingWaitsAndNothingParks() {
        var policy = RestartPolicy(.none)
        for now in UInt64(0)..<1_000 {
            #expect(policy.failed(now: now, ran: 0, jitter: most) == .restart(afterMilliseconds: 0))
        }
    }
}
