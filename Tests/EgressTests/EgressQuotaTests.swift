import Synchronization
import Testing

@testable import Egress

@Suite struct EgressQuotaTests {
    private func meter(
        connections: Int = 2, bytes: Int = 100, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) -> EgressMeter {
        var quota = EgressQuota.standard
        quota.connections = connections
        quota.bytesPerMinute = bytes
        return EgressMeter(plugin: "sample", quota: quota, now: now)
    }

    private func refusal(_ body: () throws(EgressRefusal) -> Void) -> EgressRefusal? {
        do throws(EgressRefusal) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func connectionsAreCountedUntilTheyClose() throws {
        let meter = meter()
        try meter.open()
        try meter.open()
        #expect(
            refusal { () throws(EgressRefusal) in try meter.open() }
                == EgressRefusal(
                    .quota, "sample has 2 connections open, as many as it may; close one or try later"))
        meter.close()
        try meter.open()
        #expect(meter.openConnections == 2)
    }

    @Test func bytesOfAMinuteAreCountedAndTheNextMinuteIsNew() throws {
        let minutes = Mutex(0)
        let start = ContinuousClock.now
        let meter = meter { start + .seconds(60 * minutes.withLock { $0 }) }
        #expect(meter.count(100) == nil && meter.bytesLeft == 0)
        let said = "sample has used its 100 bytes of this minute; try again in a minute"
        #expect(meter.count(1) == EgressRefusal(.quota, said))
        #expect(refusal { () throws(EgressRefusal) in try meter.open() }?.message == said)
        minutes.withLock { $0 = 1 }
        #expect(meter.bytesLeft == 100 && meter.count(1) == nil)
        try meter.open()
    }
}
