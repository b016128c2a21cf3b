import Testing

@testable import HostCore

@Suite struct BusyWaitTests {
    private let short: UInt64 = 20_000
    private let long: UInt64 = 10_000_000

    /// After how many short sleeps it looks.
    private func sleepsUntilItLooks(_ wait: inout BusyWait) -> Int {
        var count = 0
        while !wait.isWorthwhile, count < 100_000 {
            wait.slept(short)
            count += 1
        }
        return count
    }

    @Test func itLooksOnlyAfterSeveralShortWaitsInARow() {
        var wait = BusyWait()
        #expect(!wait.isWorthwhile)
        for _ in 1..<BusyWait.leastStreak { wait.slept(short) }
        wait.slept(long)
        #expect(sleepsUntilItLooks(&wait) == BusyWait.leastStreak)
        wait.slept(long)
        #expect(!wait.isWorthwhile)
    }

    @Test func eachFailureDoublesHowLongItSleepsFirst() {
        var wait = BusyWait()
        var needed = BusyWait.leastStreak
        for _ in 0..<20 {
            #expect(sleepsUntilItLooks(&wait) == needed)
            wait.lookedInVain()
            needed = min(needed * 2, BusyWait.mostStreak)
        }
        #expect(needed == BusyWait.mostStreak)
    }

    @Test func oneFailureAfterManyFindsIsForgiven() {
        var wait = BusyWait()
        _ = sleepsUntilItLooks(&wait)
        for _ in 0..<BusyWait.priceOfFailure { wait.found() }
        wait.lookedInVain()
        #expect(wait.isWorthwhile)
        wait.lookedInVain()
        #expect(!wait.isWorthwhile)
        // However long it went well, what is forgiven has a limit.
        _ = sleepsUntilItLooks(&wait)
        for _ in 0..<10_000 { wait.found() }
        for _ in 0...BusyWait.mostCredit / BusyWait.priceOfFailure { wait.lookedInVain() }
        #expect(!wait.isWorthwhile)
    }
}
