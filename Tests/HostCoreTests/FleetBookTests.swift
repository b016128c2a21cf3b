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
        (plugin.digest, plugin.installed) = (version, version)
        return plugin
    }

    /// A book of few processes, in which each plugin of `running` has one that serves nobody, used in this order.
    private func book(_ processes: Int, running: [InstalledPlugin] = []) -> FleetBook {
        var book = FleetBook(budget: HostBudget(processes: processes, memoryBytes: .max))
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
        var book = FleetBook(budget: HostBudget(processes: 9, memoryBytes: 100 << 20))
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
}
