import GRDB
import Registry
import Synchronization
import Testing

@testable import HostCore

@Suite struct RestartControlTests {
    let folder: TestHome
    let database: HostCore.Database
    let clock = FakeClock()
    init() throws {
        folder = try TestHome()
        database = try folder.database()
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
        try catalog.install(try SamplePlugin.bundle())
    }

    final class FakeClock: Sendable {
        let now = Mutex<UInt64>(1_000)
        func pass(_ milliseconds: UInt64) { now.withLock { $0 += milliseconds } }
    }

    private func control() throws -> RestartControl {
        try RestartControl(
            database: database, limits: .standard, jitter: { $0 }, unixNow: { [clock] in clock.now.withLock { $0 } },
            now: { [clock] in clock.now.withLock { $0 } })
    }

    private let crash = HostError(.pluginFailed, "it fell", retryable: true)

    private func refused(_ control: RestartControl) -> HostError? { control.refusal(of: "sample") }

    @Test func callersAreToldHowLongToWaitAndWhy() throws {
        let control = try control()
        #expect(refused(control) == nil)
        #expect(control.failed("sample", crash, ran: 0, remains: nil) == .restart(afterMilliseconds: 0))
        #expect(refused(control) == nil)
        #expect(control.failed("sample", crash, ran: 0, remains: nil) == .restart(afterMilliseconds: 100))
        clock.pass(40)
        let error = refused(control)
        #expect(error?.code == .unavailable && error?.retryable == true && error?.retryAfterMilliseconds == 60)
        #expect(error?.message == "the plugin sample starts again in 60 ms; it failed: it fell")
        clock.pass(60)
        #expect(refused(control) == nil)
    }

    @Test func aParkedPluginStaysParkedOverTheHostsEndUntilAnAdminStartsIt() throws {
        var control = try control()
        control.wants("sample")
        for _ in 0..<5 { control.failed("sample", crash, ran: 0, remains: nil) }
        let words =
            "the plugin sample is parked, for it failed 5 times within 60 s; an admin starts it with "
            + "`nexus plugin start sample`; it failed last: it fell"
        #expect(refused(control)?.message == words && refused(control)?.retryable == false)
        clock.pass(3_600_000)
        control = try self.control()
        #expect(
            control.state(of: "sample")
                == PluginState(.parked, isWanted: true, cause: "it fell", since: 1_000, failures: 5))
        #expect(refused(control)?.message == words && control.wanted == [])
        control.wants("sample")
        #expect(refused(control) == nil && control.wanted == ["sample"])
        #expect(try self.control().wanted == ["sample"])
    }

    @Test func whatRanWhenTheHostEndedIsStoppedAndStartedAgainIfAnAdminWantedIt() throws {
        var control = try control()
        control.runs("sample")
        clock.pass(5)
        control = try self.control()
        #expect(control.state(of: "sample") == PluginState(.stopped, cause: "host restarted", since: 1_005))
        #expect(control.wanted == [])
        control.wants("sample")
        control.runs("sample")
        #expect(try self.control().wanted == ["sample"])
        control.stops("sample")
        #expect(try self.control().wanted == [])
        #expect(control.state(of: "sample")?.cause == nil)
    }

    @Test func stoppingForLackOfUseKeepsTheAdminsWishAndAParkedPluginParked() throws {
        let control = try control()
        control.wants("sample")
        control.runs("sample")
        control.stops("sample", "idle")
        #expect(control.state(of: "sample")?.name == .stopped && control.wanted == ["sample"])
        for _ in 0..<5 { control.failed("sample", crash, ran: 0, remains: nil) }
        control.stops("sample", "idle")
        #expect(control.state(of: "sample")?.name == .parked)
        control.stops("sample")
        #expect(control.state(of: "sample")?.name == .parked && !control.isWanted("sample"))
        control.replaced("sample")
        #expect(control.state(of: "sample")?.name == .stopped && refused(control) == nil)
    }

    @Test func whatIsNotThePluginsFaultCountsForNothing() throws {
        let control = try control()
        var lost = Incident.Remains()
        lost.isLost = true
        let others: [(HostError, Incident.Remains?)] = [
            (crash, lost), (HostError(.jailFailed, "no launcher", retryable: true), nil),
            (HostError(.auditFailed, "disk full", retryable: true), Incident.Remains()),
        ]
        var waits: [RestartPolicy.Verdict] = []
        for (cause, remains) in others {
            for _ in 0..<4 { waits.append(control.failed("sample", cause, ran: 0, remains: remains)) }
        }
        #expect(
            waits
                == [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000].map {
                    .restart(afterMilliseconds: $0)
                })
        #expect(refused(control) == nil)
        #expect(control.state(of: "sample")?.failures == 0 && control.state(of: "sample")?.name == .failed)
        #expect(RestartControl.counts(HostError(.jailFailed, "layer"), nil))
    }

    @Test func aRemovedPluginLeavesNoState() throws {
        let control = try control()
        control.runs("sample")
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
        try catalog.remove("sample")
        control.forget("sample")
        #expect(control.state(of: "sample") == nil)
        control.replaced("sample")
        #expect(try PluginStateStore(database: database).all().isEmpty)
        #expect(try self.control().state(of: "sample") == nil)
    }

    @Test func whatFailsForOnePrincipalHoldsBackNobodyElseUntilItFailsForTwo() throws {
        let control = try control()
        for _ in 0..<5 { control.failed("sample", crash, ran: 0, remains: nil, for: "alice") }
        control.stops("sample", "nobody used it")
        control.stops("sample")
        // That is for an admin to start.
        let words = control.refusal(of: "sample", for: "alice")
        #expect(words?.message.contains("is parked for alice, for whom it failed 5 times within 60 s") == true)
        #expect(
            words?.retryable == false && refused(control) == nil && control.refusal(of: "sample", for: "bob") == nil)
        for _ in 0..<2 { control.failed("sample", crash, ran: 0, remains: nil, for: "bob") }
        let wait = control.refusal(of: "sample", for: "bob")
        #expect(wait?.message == "the plugin sample starts again for bob in 100 ms; it failed: it fell")
        #expect(wait?.retryAfterMilliseconds == 100 && control.failingPrincipals(of: "sample") == 2)
        for _ in 0..<3 { control.failed("sample", crash, ran: 0, remains: nil, for: "bob") }
        #expect(refused(control)?.message.hasPrefix("the plugin sample is parked, ") == true)
        #expect(control.state(of: "sample")?.name == .parked)
        #expect(control.state(of: "sample")?.failures == 5, "those in a row, of the principal who failed last")
        control.wants("sample")
        #expect(refused(control) == nil && control.refusal(of: "sample", for: "alice") == nil)
        for number in 0..<2_000 { control.failed("sample", crash, ran: 0, remains: nil, for: "\(number)") }
        #expect(control.failingPrincipals(of: "sample") <= HostLimits.failingPrincipals)
    }

    @Test func aStateThatCannotBeStoredIsStoredLater() throws {
        let control = try control()
        try database.write { database in
            try database.execute(
                sql: "CREATE TRIGGER full BEFORE INSERT ON plugin_state BEGIN SELECT RAISE(ABORT, 'no room'); END")
        }
        for _ in 0..<5 { control.failed("sample", crash, ran: 0, remains: nil) }
        control.flush()
        #expect(try PluginStateStore(database: database).all().isEmpty)
        try database.write { try $0.execute(sql: "DROP TRIGGER full") }
        control.flush()
        #expect(try PluginStateStore(database: database).all()["sample"]?.name == .parked)
    }
}
