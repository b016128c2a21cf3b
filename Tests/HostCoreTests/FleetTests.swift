import PluginABI
import Testing

@testable import HostCore

@Suite struct FleetTests {
    /// A fleet whose starts the test makes itself.
    private func fleet(_ isolation: PluginManifest.Isolation, concurrency: Int = 1, warm: Int = 0) throws -> Fleet {
        var manifest = try SamplePlugin.installed().manifest
        (manifest.isolation, manifest.concurrency) = (isolation, concurrency)
        var rule = FleetRule(manifest)
        rule.warm = warm
        return Fleet(plugin: "sample", rule: rule)
    }

    private let broken = HostError(.jailFailed, "it does not start")

    @Test func sharedCallersWaitForOneStartAndThenShareTheProcess() throws {
        var fleet = try fleet(.shared, concurrency: 2)
        for (ticket, caller) in [(1, "a"), (2, "b"), (3, "a")] as [(UInt64, String)] {
            #expect(fleet.want(ticket, for: caller, now: 0) == [])
        }
        #expect(fleet.missing == 1)
        fleet.start(1, now: 0)
        #expect(fleet.missing == 0)
        #expect(fleet.started(1, now: 5) == [.grant(ticket: 1, member: 1), .grant(ticket: 2, member: 1)])
        #expect(fleet.endLease(2, now: 9) == [.grant(ticket: 3, member: 1)])
        #expect(fleet.endLease(1, now: 9) == [] && fleet.endLease(3, now: 9) == [] && !fleet.hasLeases)
        #expect(fleet.endLease(3, now: 9) == [], "a lease ends once")
        #expect(fleet.members[1]?.served == 3 && fleet.members[1]?.open == 0)
        #expect(fleet.want(4, for: "c", now: 10) == [.grant(ticket: 4, member: 1)])
    }

    @Test func noProcessServesTwoUsersWhereUsersAreKeptApart() throws {
        var fleet = try fleet(.perUser, concurrency: 4)
        #expect(fleet.want(1, for: "alice", now: 0) == [] && fleet.want(2, for: "bob", now: 0) == [])
        #expect(fleet.missing == 2)
        fleet.start(1, now: 0)
        fleet.start(2, now: 0)
        #expect(fleet.started(2, now: 1) == [.grant(ticket: 1, member: 2)])
        #expect(fleet.want(3, for: "alice", now: 1) == [.grant(ticket: 3, member: 2)])
        #expect(fleet.started(1, now: 1) == [.grant(ticket: 2, member: 1)])
        for ticket in [1, 2, 3] as [UInt64] { #expect(fleet.endLease(ticket, now: 2) == []) }
        #expect(fleet.want(4, for: "carol", now: 3) == [] && fleet.missing == 1)
        #expect(fleet.members[1]?.key == .principal("bob") && fleet.members[2]?.key == .principal("alice"))
    }

    @Test func aProcessThatServedItsOneCallIsDestroyedAndNeverServesAnother() throws {
        var fleet = try fleet(.perCall, concurrency: 8)
        #expect(fleet.want(1, for: "a", now: 0) == [])
        fleet.start(1, now: 0)
        #expect(fleet.started(1, now: 0) == [.grant(ticket: 1, member: 1)])
        #expect(fleet.want(2, for: "a", now: 0) == [] && fleet.missing == 1)
        #expect(fleet.endLease(1, now: 1) == [.destroy(member: 1)])
        #expect(fleet.missing == 1 && fleet.queue.waiters.map(\.ticket) == [2])
        #expect(fleet.ended(1) == true)
        #expect(fleet.members.isEmpty)
    }

    @Test func sparesAreKeptWhileThePluginIsUsedTwoStartsAtATime() throws {
        var fleet = try fleet(.perCall, warm: 3)
        #expect(!fleet.wantsSpare)
        _ = fleet.want(1, for: "a", now: 0)
        fleet.start(1, now: 0)
        #expect(!fleet.wantsSpare, "whoever waits comes first")
        _ = fleet.started(1, now: 0)
        for number in [2, 3] {
            #expect(fleet.wantsSpare)
            fleet.start(number, now: 0)
        }
        #expect(!fleet.wantsSpare, "two are coming")
        #expect(fleet.started(2, now: 0) == [] && fleet.started(3, now: 0) == [] && fleet.wantsSpare)
        fleet.start(4, now: 0)
        #expect(!fleet.wantsSpare && fleet.started(4, now: 0) == [] && !fleet.wantsSpare)
        #expect(fleet.want(2, for: "b", now: 1) == [.grant(ticket: 2, member: 2)] && fleet.wantsSpare)
        let idle = fleet.rule.idleMilliseconds
        #expect(fleet.idle(now: idle - 1) == [])
        #expect(
            fleet.idle(now: idle) == [.stop(member: 3), .stop(member: 4)] && !fleet.wantsSpare,
            "calls make spares, not time")
    }

    @Test func aSpareThatDiesByItselfIsNotReplacedBeforeTheNextCall() throws {
        var fleet = try fleet(.perCall, warm: 1)
        fleet.warmUp()
        fleet.start(1, now: 0)
        _ = fleet.started(1, now: 0)
        #expect(fleet.ended(1) == false)
        #expect(!fleet.wantsSpare && fleet.missing == 0)
    }

    @Test func aStartThatFailsRefusesThoseWhoWaitedForIt() throws {
        var shared = try fleet(.shared)
        for ticket in [1, 2] as [UInt64] { _ = shared.want(ticket, for: "a", now: 0) }
        shared.start(1, now: 0)
        #expect(shared.failed(1, broken) == [.refuse(ticket: 1, broken), .refuse(ticket: 2, broken)])

        var perCall = try fleet(.perCall)
        for ticket in [1, 2] as [UInt64] { _ = perCall.want(ticket, for: "a", now: 0) }
        for number in [1, 2] { perCall.start(number, now: 0) }
        #expect(perCall.failed(1, broken) == [.refuse(ticket: 1, broken)])
        #expect(perCall.missing == 0, "a plugin that never starts must not be started for ever")
        #expect(perCall.failed(2, broken) == [.refuse(ticket: 2, broken)] && perCall.missing == 0)

        perCall.warmUp()
        perCall.start(3, now: 0)
        #expect(perCall.failed(3, broken) == [] && !perCall.wantsSpare)
    }

    @Test func whoStillWaitsWhenAProcessDiesGetsTheNext() throws {
        var fleet = try fleet(.shared)
        _ = fleet.want(1, for: "a", now: 0)
        fleet.start(1, now: 0)
        _ = fleet.started(1, now: 0)
        _ = fleet.want(2, for: "a", now: 0)
        #expect(fleet.missing == 0)
        #expect(fleet.ended(1) == false)
        #expect(fleet.missing == 1)
        fleet.start(2, now: 1)
        #expect(fleet.started(2, now: 1) == [.grant(ticket: 2, member: 2)])
        #expect(fleet.endLease(1, now: 2) == [], "the lease of a dead process ends without effect")
        #expect(fleet.members[2]?.open == 1)
    }

    @Test func callersWithFewerOpenCallsGoFirst() throws {
        var fleet = try fleet(.shared, concurrency: 2)
        for ticket in 1...4 as ClosedRange<UInt64> { _ = fleet.want(ticket, for: "greedy", now: 0) }
        _ = fleet.want(5, for: "modest", now: 0)
        fleet.start(1, now: 0)
        #expect(fleet.started(1, now: 0) == [.grant(ticket: 1, member: 1), .grant(ticket: 5, member: 1)])
        #expect(fleet.endLease(1, now: 1) == [.grant(ticket: 2, member: 1)])
    }

    @Test func aFullQueueSaysWhenToTryAgain() throws {
        var fleet = try fleet(.shared)
        fleet.rule.queued = 2
        for ticket in 1...2 as ClosedRange<UInt64> { _ = fleet.want(ticket, for: "a", now: 0) }
        let refusal = HostError(
            .unavailable,
            "the plugin sample is busy: 2 calls wait for it, 2 of them from a; try again in 100 ms",
            retryable: true, retryAfterMilliseconds: 100)
        #expect(fleet.want(3, for: "a", now: 0) == [.refuse(ticket: 3, refusal)])
        #expect(fleet.want(4, for: "b", now: 0).count == 1)
        #expect(fleet.queue.waiters.map(\.ticket) == [1, 4])
    }

    @Test func idleProcessesStopAndBusyOnesStay() throws {
        var fleet = try fleet(.perUser)
        for (number, caller) in [(1, "a"), (2, "b")] {
            _ = fleet.want(UInt64(number), for: caller, now: 0)
            fleet.start(number, now: 0)
            _ = fleet.started(number, now: 0)
        }
        _ = fleet.endLease(1, now: 100)
        let idle = fleet.rule.idleMilliseconds
        #expect(fleet.idle(now: idle + 99) == [])
        #expect(fleet.idle(now: idle + 100) == [.stop(member: 1)])
        #expect(fleet.idle(now: idle + 100) == [], "it is asked once")
        #expect(fleet.want(3, for: "a", now: idle + 100) == [] && fleet.missing == 1)
        #expect(fleet.ended(1) == true)
    }

    @Test func aProcessThatIsStoppedWhileItStartsGoesOnceItHasStarted() throws {
        var fleet = try fleet(.shared)
        fleet.start(1, now: 0)
        #expect(fleet.stop(1) == [])
        #expect(fleet.started(1, now: 1) == [.stop(member: 1)])
        #expect(fleet.live == 0 && fleet.ended(1))
    }

    @Test func aCallerWhoGoesWaitsNoLonger() throws {
        var fleet = try fleet(.shared)
        _ = fleet.want(1, for: "a", now: 0)
        #expect(fleet.withdraw(1) && !fleet.withdraw(1) && fleet.missing == 0)
    }
}
