import Testing

@testable import HostCore

@Suite struct CallQueueTests {
    private func waiter(_ ticket: UInt64, _ principal: String) -> CallQueue.Waiter {
        CallQueue.Waiter(ticket: ticket, key: .everyone, principal: principal)
    }

    private func filled(_ principals: [String], limit: Int = 4) -> CallQueue {
        var queue = CallQueue()
        for (index, principal) in principals.enumerated() {
            #expect(queue.add(waiter(UInt64(index + 1), principal), limit: limit) == .waits)
        }
        return queue
    }

    @Test func aFullQueueTakesNoMoreOfThoseWhoFilledIt() {
        var queue = filled(["a", "a", "a", "a"])
        #expect(queue.add(waiter(5, "a"), limit: 4) == .full)
        #expect(queue.waiters.map(\.ticket) == [1, 2, 3, 4])
    }

    @Test func whoFilledTheQueueGivesWayToOthersAndTheLatestFirst() {
        var queue = filled(["a", "a", "b", "a"])
        #expect(queue.add(waiter(5, "c"), limit: 4) == .displaces(waiter(4, "a")))
        #expect(queue.waiters.map(\.ticket) == [1, 2, 3, 5])
    }

    @Test func equalSharesStayAsTheyAre() {
        var queue = filled(["a", "a", "b", "b"])
        #expect(queue.add(waiter(5, "a"), limit: 4) == .full)
        // One of c for one of a: c would have one, a one. That is fair.
        #expect(queue.add(waiter(6, "c"), limit: 4) == .displaces(waiter(4, "b")))
        #expect(queue.add(waiter(7, "b"), limit: 4) == .full)
    }

    @Test func whoHasTheFewestOpenCallsIsNextAndAmongEqualsWhoCameFirst() {
        var queue = filled(["a", "b", "a", "b"])
        #expect(queue.next(open: ["a": 2, "b": 1]) { _ in true }?.ticket == 2)
        #expect(queue.next(open: [:]) { _ in true }?.ticket == 1)
        #expect(queue.next(open: [:]) { $0.principal == "b" }?.ticket == 4)
        #expect(queue.next(open: [:]) { _ in false } == nil)
        #expect(queue.remove(3)?.principal == "a" && queue.remove(3) == nil && queue.waiters.isEmpty)
    }
}
