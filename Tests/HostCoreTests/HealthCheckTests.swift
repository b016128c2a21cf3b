import Testing

@testable import HostCore

@Suite struct HealthCheckTests {
    /// What follows from ticks every 2 s from one time to another.
    private func ticks(
        _ from: UInt64, to: UInt64, busy: Bool, _ check: inout HealthCheck
    ) -> [UInt64: HealthCheck.Action] {
        var actions: [UInt64: HealthCheck.Action] = [:]
        for now in stride(from: from, through: to, by: 2_000) {
            let action = check.tick(now: now, isBusy: busy)
            if action != .wait { actions[now] = action }
        }
        return actions
    }

    @Test func pingsFollowEveryTwoSecondsWithCallsAndEveryTenWithout() {
        for (busy, interval) in [(true, 2_000), (false, 10_000)] as [(Bool, UInt64)] {
            var check = HealthCheck()
            var pings: [UInt64] = []
            for now in stride(from: UInt64(0), through: 60_000, by: 2_000) {
                guard case .ping(let nonce) = check.tick(now: now, isBusy: busy) else { continue }
                pings.append(now)
                #expect(nonce == UInt64(pings.count))
                check.heard(nonce)
            }
            #expect(pings.first == interval)
            #expect(zip(pings, pings.dropFirst()).allSatisfy { $1 - $0 == interval })
        }
    }

    @Test func aPluginThatBlocksInACallIsToldOfOnceAndNeverDead() {
        var check = HealthCheck()
        #expect(
            ticks(0, to: 600_000, busy: true, &check) == [2_000: .ping(nonce: 1), 8_000: .blocked(milliseconds: 6_000)])
        check.heard(1)
        let next = ticks(602_000, to: 612_000, busy: true, &check)
        #expect(next == [602_000: .ping(nonce: 2), 608_000: .blocked(milliseconds: 6_000)])
    }

    @Test func anIdlePluginThatMissesTwoPingsIsDead() {
        var check = HealthCheck()
        let actions = ticks(0, to: 20_000, busy: false, &check)
        #expect(actions == [10_000: .ping(nonce: 1), 16_000: .ping(nonce: 2), 20_000: .dead(milliseconds: 10_000)])
    }

    @Test(arguments: [UInt64(1), 2]) func anAnswerToEitherOfTheTwoIsEnough(nonce: UInt64) {
        var check = HealthCheck()
        _ = ticks(0, to: 18_000, busy: false, &check)
        check.heard(nonce)
        #expect(ticks(20_000, to: 26_000, busy: false, &check) == [:])
        #expect(check.tick(now: 28_000, isBusy: false) == .ping(nonce: 3))
    }

    @Test func pongToAnotherPingCountsForNothing() {
        var check = HealthCheck()
        _ = ticks(0, to: 12_000, busy: false, &check)
        check.heard(99)
        check.heard(0)
        #expect(ticks(14_000, to: 20_000, busy: false, &check)[20_000] == .dead(milliseconds: 10_000))
    }

    @Test func timeWithACallOpenDoesNotCountAgainstAPlugin() {
        var check = HealthCheck()
        _ = ticks(0, to: 18_000, busy: false, &check)
        _ = ticks(20_000, to: 60_000, busy: true, &check)
        #expect(ticks(62_000, to: 68_000, busy: false, &check) == [:])
        #expect(check.tick(now: 70_000, isBusy: false) == .dead(milliseconds: 60_000))
    }

    /// The host's machine slept, or its clock was set.
    @Test func aJumpOfTheClockKillsNobody() {
        var check = HealthCheck()
        _ = ticks(0, to: 10_000, busy: false, &check)
        #expect(check.tick(now: 9_000_000, isBusy: false) == .wait)
        #expect(check.tick(now: 5, isBusy: false) == .wait)
    }
}
