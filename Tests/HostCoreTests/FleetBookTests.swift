import PluginABI
import Testing

@testable import HostCore

@Suite struct FleetBookTests {
    private func plugin(
        _ name: String, _ version: String = "1", _ isolation: PluginManifest.Isolation = .shared
    ) throws -> InstalledPlugin {
        var plugin = try SamplePlugin.installed()
        plugin.manifest.name = name
        plugin.manifest.isolation = isolation
        plugin.choices.weakeningSharedUsers = true
        (plugin.digest, plugin.installed) = (version, version)
        return plugin
    }

    /// A book of few processes, in which each plugin of `running` has one that serves nobody, used in this order.
    private func book(_ processes: Int, running: [InstalledPlugin] = []) -> FleetBook {
        var book = FleetBook(HostConfiguration(budget: HostBudget(processes: processes, memoryBytes: .max)))
        for (index, plugin) in running.enumerated() {
            let (ticket, number) = (UInt64(900 + index), index + 1)
            #expect(book.want(ticket, plugin, for: "p\(index)", now: 0) == [.start(member: number, plugin)])
            #expect(book.started(number, now: UInt64(index)) == [.grant(ticket: ticket, member: number)])
            #expect(book.endLease(ticket, now: UInt64(index)) == [])
        }
        return book
    }

    private let replaced = HostError.replaced("a")

    @Test func theLongestUnusedProcessMakesRoomAndTheNextStartsOnceItIsGone() throws {
        let (a, b, c) = (try plugin("a"), try plugin("b"), try plugin("c"))
        var book = book(2, running: [a, b])
        #expect(book.want(1, c, for: "x", now: 5) == [.stop(member: 1)])
        #expect(book.all.count == 2, "never more than the budget")
        let (wasMeant, actions) = book.ended(1, now: 6)
        #expect(wasMeant == true && actions == [.start(member: 3, c)])
        #expect(book.started(3, now: 7) == [.grant(ticket: 1, member: 3)])
    }

    @Test func whenNothingIsIdleTheCallerHearsOfTheBudget() throws {
        let (a, b) = (try plugin("a"), try plugin("b"))
        var book = book(1)
        #expect(book.want(1, a, for: "x", now: 0) == [.start(member: 1, a)])
        #expect(book.started(1, now: 0) == [.grant(ticket: 1, member: 1)])
        guard case .refuse(ticket: 2, let error)? = book.want(2, b, for: "x", now: 0).first else {
            Issue.record("it was not refused")
            return
        }
        #expect(error.code == .unavailable && error.retryAfterMilliseconds == 1_000)
        #expect(error.message.hasPrefix("the plugin b was not started: the host's budget is used up (1 of 1 processes"))
        #expect(book.all.count == 1)
    }

    @Test func memoryLimitsCountTowardsTheBudget() throws {
        var (a, b) = (try plugin("a"), try plugin("b"))
        a.manifest.permissions.resources.memoryMegabytes = 60
        b.manifest.permissions.resources.memoryMegabytes = 50
        var book = FleetBook(HostConfiguration(budget: HostBudget(processes: 9, memoryBytes: 100 << 20)))
        #expect(book.want(1, a, for: "x", now: 0) == [.start(member: 1, a)])
        #expect(book.started(1, now: 0) == [.grant(ticket: 1, member: 1)] && book.endLease(1, now: 0) == [])
        #expect(book.want(2, b, for: "x", now: 0) == [.stop(member: 1)])
        #expect(book.ended(1, now: 0).actions == [.start(member: 2, b)])
    }

    @Test func whoHasMoreThanItsShareGivesWayFirst() throws {
        let (old, many) = (try plugin("old"), try plugin("many", "1", .perUser))
        var book = book(4, running: [old, many, many, many])
        // `old` was unused for longer, but three of four are more than a half.
        #expect(book.want(1, try plugin("new"), for: "x", now: 9) == [.stop(member: 2)])
    }

    @Test func aPluginWithOneProcessPerUserHasABoundOfItsOwn() throws {
        let many = try plugin("many", "1", .perUser)
        var book = book(1_000)
        let bound = HostLimits.perUserInstances
        for number in 1...bound {
            #expect(book.want(UInt64(number), many, for: "u\(number)", now: 0) == [.start(member: number, many)])
            #expect(book.started(number, now: 0) == [.grant(ticket: UInt64(number), member: number)])
        }
        let last = UInt64(bound + 1)
        #expect(book.want(last, many, for: "late", now: 1) == [], "it waits until one has nothing to do")
        #expect(book.endLease(7, now: 2) == [.stop(member: 7), .start(member: bound + 1, many)])
        #expect(book.started(bound + 1, now: 3) == [.grant(ticket: last, member: bound + 1)])
    }

    @Test func afterAnUpgradeNewCallersGetTheNewVersionAndOthersFinishWithTheOld() throws {
        let (old, new) = (try plugin("a", "1"), try plugin("a", "2"))
        var book = book(9)
        #expect(book.want(1, old, for: "x", now: 0) == [.start(member: 1, old)])
        #expect(book.started(1, now: 0) == [.grant(ticket: 1, member: 1)])
        let staged = book.stage(new, now: 0)
        #expect(staged.member == 2 && staged.actions == [.start(member: 2, new)])
        #expect(book.started(2, now: 1) == [] && !book.serves(new), "nobody gets it before its gate")
        #expect(book.promote(new, over: old) == [])
        #expect(book.want(2, new, for: "x", now: 2) == [.grant(ticket: 2, member: 2)])
        // Found before, asked for after: nobody is lost.
        #expect(book.want(3, old, for: "x", now: 2) == [])
        #expect(book.endLease(1, now: 3) == [.grant(ticket: 3, member: 1)])
        #expect(book.endLease(3, now: 4) == [.stop(member: 1)])
        #expect(book.ended(1, now: 5).wasMeant == true)
        // Even when the old one has gone already.
        #expect(book.want(4, old, for: "x", now: 6) == [.start(member: 3, old)])
        // And back.
        #expect(book.promote(old, over: new) == [])
        #expect(book.started(3, now: 7) == [.grant(ticket: 4, member: 3)])
        #expect(book.endLease(2, now: 8) == [.stop(member: 2)])
    }

    @Test func anUpgradeOfAPluginThatDoesNotRunStillServesThoseWhoFoundTheOldOne() throws {
        let (old, new) = (try plugin("a", "1"), try plugin("a", "2"))
        var book = book(9)
        _ = book.stage(new, now: 0)
        _ = book.started(1, now: 0)
        _ = book.promote(new, over: old)
        #expect(book.serves(old) && book.serves(new))
        #expect(book.discard(new) == [], "it is what callers get")
        #expect(book.discard(old) == [])
        #expect(!book.serves(old) && book.serves(new))
    }

    @Test func aPluginThatIsTakenOutRefusesItsWaitersAndStopsWhatRuns() throws {
        let a = try plugin("a")
        var book = book(9)
        _ = book.want(1, a, for: "x", now: 0)
        _ = book.started(1, now: 0)
        _ = book.want(2, a, for: "y", now: 0)
        #expect(book.retire("a", refusing: replaced) == [.refuse(ticket: 2, replaced), .stop(member: 1)])
        #expect(!book.serves(a) && book.isKnown(1) && !book.isServing(1))
        #expect(book.endLease(1, now: 1) == [], "nothing starts again by itself")
        #expect(book.ended(1, now: 2).wasMeant == true)
        #expect(book.want(3, a, for: "x", now: 3) == [.start(member: 2, a)])
    }

    @Test func aProcessThatStartsForAVersionThatIsGoneIsStopped() throws {
        let (a, b) = (try plugin("a"), try plugin("a", "2"))
        var book = book(9)
        _ = book.want(1, a, for: "x", now: 0)
        #expect(book.want(2, b, for: "x", now: 0) == [.refuse(ticket: 1, replaced), .start(member: 2, b)])
        #expect(book.started(1, now: 1) == [.stop(member: 1)])
    }

    @Test func sparesAreStartedOnlyIntoFreeRoom() throws {
        let (a, b) = (try plugin("a"), try plugin("b", "1", .perCall))
        var book = book(2, running: [a])
        #expect(book.want(1, b, for: "x", now: 0) == [.start(member: 2, b)])
        #expect(book.started(2, now: 0) == [.grant(ticket: 1, member: 2)], "a stays: a spare is not worth a process")
        #expect(book.endLease(1, now: 1) == [.destroy(member: 2)])
        #expect(book.ended(2, now: 1).actions == [.start(member: 3, b)])
    }

    @Test func whatACallTookIsReplacedWhenItHasEndedOrWhenItWasTheLast() throws {
        let a = try plugin("a", "1", .perCall)
        var book = book(9)
        #expect(book.want(1, a, for: "x", now: 0) == [.start(member: 1, a)])
        #expect(
            book.started(1, now: 0)
                == [.grant(ticket: 1, member: 1), .start(member: 2, a), .start(member: 3, a)])
        for number in [2, 3] { #expect(book.started(number, now: 0) == []) }
        #expect(book.endLease(1, now: 1) == [.destroy(member: 1)])
        #expect(book.want(2, a, for: "x", now: 2) == [.grant(ticket: 2, member: 2)], "no start beside its call")
        #expect(book.endLease(2, now: 3) == [.destroy(member: 2), .start(member: 4, a)])
        #expect(book.want(3, a, for: "x", now: 4) == [.grant(ticket: 3, member: 3)], "one is coming, which is enough")
        #expect(book.started(4, now: 5) == [.start(member: 5, a)])
        #expect(book.started(5, now: 5) == [])
        // A long call does not keep the others waiting for ever.
        #expect(book.want(4, a, for: "x", now: 6) == [.grant(ticket: 4, member: 4)])
        #expect(book.tick(now: 7) == [.start(member: 6, a)])
    }

    // MARK: other limits

    private func limits(_ processes: Int, _ megabytes: UInt64 = 1 << 20) -> HostConfiguration {
        HostConfiguration(budget: HostBudget(processes: processes, memoryBytes: megabytes << 20))
    }

    @Test func aSmallerBudgetTakesTheIdleAtOnceAndTheBusyWhenTheyHaveAnswered() throws {
        let (a, b, c) = (try plugin("a"), try plugin("b"), try plugin("c"))
        var book = book(3, running: [a, b, c])
        #expect(book.want(1, b, for: "x", now: 5) == [.grant(ticket: 1, member: 2)])
        #expect(book.want(2, c, for: "x", now: 5) == [.grant(ticket: 2, member: 3)])
        #expect(book.configure(limits(1), now: 6) == [.stop(member: 1)], "c serves: it was started last, and has to go")
        #expect(book.all.map(\.member.state) == [.ending, .ready, .leaving])
        #expect(book.isServing(3), "if it crashes now, that was not meant")
        guard case .refuse(ticket: 3, let error)? = book.want(3, c, for: "y", now: 7).first else {
            Issue.record("it got a new call, or another one was started beyond the budget")
            return
        }
        #expect(error.message.contains("(3 of 1 processes"))
        #expect(book.endLease(2, now: 8) == [.stop(member: 3)])
        #expect(book.ended(1, now: 9).actions == [])
        #expect(book.ended(3, now: 9).actions == [])
        #expect(book.endLease(1, now: 10) == [], "what fits stays")
        #expect(book.all.map(\.number) == [2])
    }

    @Test func aSmallerBudgetOfMemoryTakesAsManyAsAreTooMany() throws {
        let plugins = try ["a", "b", "c"].map { try plugin($0) }
        var book = book(9, running: plugins)
        #expect(book.configure(limits(9, 1_024), now: 6) == [.stop(member: 1)], "two of 512 MiB fit")
        #expect(book.configure(limits(9, 1_024), now: 6) == [])
    }

    @Test func aProcessThatStartsIsStoppedWhenTheBudgetHasNoRoomForItAnyMore() throws {
        let (a, b) = (try plugin("a"), try plugin("b"))
        var book = book(2)
        #expect(book.want(1, a, for: "x", now: 0) == [.start(member: 1, a)])
        #expect(book.started(1, now: 0) == [.grant(ticket: 1, member: 1)])
        #expect(book.want(2, b, for: "x", now: 0) == [.start(member: 2, b)])
        guard case .refuse(ticket: 2, _)? = book.configure(limits(1), now: 1).first else {
            Issue.record("who waited for it was not told")
            return
        }
        #expect(book.started(2, now: 2) == [.stop(member: 2)])
    }

    @Test func aGreaterBudgetServesWhoWaits() throws {
        let a = try plugin("a")
        var book = book(2, running: [a])
        let b = try plugin("b", "1", .perUser)
        #expect(book.want(1, b, for: "x", now: 1) == [.start(member: 2, b)])
        #expect(book.want(2, b, for: "y", now: 1) == [.stop(member: 1)], "and waits for its end")
        #expect(book.configure(limits(3), now: 2) == [.start(member: 3, b)])
    }

    @Test func settingsOfOnePluginHoldAtOnceAndLeaveTheOthersAlone() throws {
        let (many, other) = (try plugin("many", "1", .perUser), try plugin("other"))
        var book = book(9, running: [other])
        for (ticket, user) in [(1, "a"), (2, "b"), (3, "c")] as [(UInt64, String)] {
            let number = Int(ticket) + 1
            #expect(book.want(ticket, many, for: user, now: ticket) == [.start(member: number, many)])
            #expect(book.started(number, now: ticket) == [.grant(ticket: ticket, member: number)])
        }
        #expect(book.endLease(1, now: 4) == [])
        var settings = PluginSettings()
        (settings.instances, settings.idleSeconds, settings.queued) = (1, 60, 1)
        var new = limits(9)
        new.plugins["many"] = settings
        // a's is idle; c's was started last and serves; b's stays.
        #expect(book.configure(new, now: 5) == [.stop(member: 2)])
        #expect(book.all.map(\.member.state) == [.ready, .ending, .ready, .leaving])
        #expect(book.want(4, many, for: "d", now: 6) == [])
        guard case .refuse(ticket: 5, _)? = book.want(5, many, for: "d", now: 6).first else {
            Issue.record("more wait than may")
            return
        }
        #expect(book.endLease(3, now: 7) == [.stop(member: 4)])
        #expect(book.endLease(2, now: 8) == [.stop(member: 3), .start(member: 5, many)])
        #expect(book.started(5, now: 9) == [.grant(ticket: 4, member: 5)] && book.endLease(4, now: 10) == [])
        #expect(book.tick(now: 60_009) == [] && book.tick(now: 60_010) == [.stop(member: 5)])
        #expect(book.all.first?.member.state == .ready, "the other has its own time")
    }

    @Test func readyProcessesComeAndGoWithTheirNumber() throws {
        let a = try plugin("a", "1", .perCall)
        var book = book(9)
        var new = limits(9)
        _ = book.want(1, a, for: "x", now: 0)
        #expect(
            book.started(1, now: 0)
                == [.grant(ticket: 1, member: 1), .start(member: 2, a), .start(member: 3, a)])
        #expect(book.started(2, now: 0) == [] && book.started(3, now: 0) == [])
        new.plugins["a", default: PluginSettings()].warm = 3
        #expect(book.configure(new, now: 1) == [.start(member: 4, a)])
        #expect(book.started(4, now: 1) == [])
        new.plugins["a"]?.warm = 1
        #expect(book.configure(new, now: 2) == [.stop(member: 3), .stop(member: 4)])
        #expect(book.endLease(1, now: 3) == [.destroy(member: 1)])
        // A version that is opened later has the numbers, too.
        #expect(book.stage(try plugin("a", "2", .perCall), now: 4).member == 5)
        #expect(book.versions.values.allSatisfy { $0.fleet.rule.warm == 1 } && book.versions.count == 2)
    }

    @Test func aProcessForOneCallThatHasToGoIsEndedWithItsCall() throws {
        let a = try plugin("a", "1", .perCall)
        var book = book(2)
        var (settings, fewer) = (PluginSettings(), limits(1))
        settings.warm = 0
        fewer.plugins["a"] = settings
        #expect(book.configure(HostConfiguration(budget: limits(2).budget, plugins: fewer.plugins), now: 0) == [])
        for ticket in [1, 2] as [UInt64] {
            _ = book.want(ticket, a, for: "x", now: 0)
            #expect(book.started(Int(ticket), now: 0) == [.grant(ticket: ticket, member: Int(ticket))])
        }
        #expect(book.configure(fewer, now: 1) == [])
        #expect(book.endLease(2, now: 2) == [.destroy(member: 2)])
    }
}
