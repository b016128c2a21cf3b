import Testing

@testable import HostCore

@Suite struct TimerQueueTests {
    private func all(_ queue: inout TimerQueue<String>, now: UInt64 = .max) -> [String] {
        var taken: [String] = []
        while let work = queue.take(now: now) { taken.append(work) }
        return taken
    }

    @Test func theEarliestComesFirstAndOfTwoAtOneTimeTheOlder() {
        var queue = TimerQueue<String>()
        for (due, work) in [(30, "c"), (10, "a"), (20, "b1"), (20, "b2"), (5, "first"), (20, "b3")] {
            _ = queue.add(UInt64(due), work)
        }
        #expect(queue.first == 5)
        #expect(all(&queue) == ["first", "a", "b1", "b2", "b3", "c"])
        #expect(queue.first == nil)
    }

    @Test func nothingIsTakenBeforeItsTime() {
        var queue = TimerQueue<String>()
        _ = queue.add(10, "a")
        _ = queue.add(11, "b")
        #expect(all(&queue, now: 9) == [])
        #expect(all(&queue, now: 10) == ["a"])
        #expect(queue.first == 11)
    }

    @Test func aCancelledOneIsGoneAndOthersAtItsTimeStay() {
        var queue = TimerQueue<String>()
        let keys = (0..<5).map { queue.add(7, "\($0)") }
        queue.cancel(keys[2])
        queue.cancel(keys[2])
        queue.cancel(keys[4])
        #expect(all(&queue) == ["0", "1", "3"])
        // Taken already.
        _ = queue.add(7, "new")
        queue.cancel(keys[0])
        #expect(all(&queue) == ["new"])
    }

    @Test func manyInAnyOrderComeInTheOrderOfTheirTimes() {
        var queue = TimerQueue<String>()
        var times = (0..<500).map { UInt64($0 * 7919 % 500) }
        var keys: [TimerQueue<String>.Key] = []
        for time in times { keys.append(queue.add(time, "\(time)")) }
        for index in stride(from: 0, to: 500, by: 3) { queue.cancel(keys[index]) }
        times = times.enumerated().filter { !$0.offset.isMultiple(of: 3) }.map(\.element)
        #expect(all(&queue) == times.sorted().map { "\($0)" })
    }
}
