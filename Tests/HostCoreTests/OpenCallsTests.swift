import Testing

@testable import HostCore

@Suite struct OpenCallsTests {
    private func sample() -> OpenCalls<String> {
        var calls = OpenCalls<String>()
        for (stream, due) in [(1, 30), (3, 10), (5, 20), (7, 10)] as [(UInt64, UInt64)] {
            calls.add(
                stream, .init(waiter: "\(stream)", number: stream * 100, due: due, deadline: due))
        }
        return calls
    }

    @Test func thoseWhoseTimeHasComeAreFoundAndWhenTheNextOneComes() throws {
        let calls = sample()
        #expect(calls.overdue(now: 9).calls.isEmpty)
        #expect(calls.overdue(now: 9).next == 10)
        #expect(calls.overdue(now: 10).calls.map(\.stream) == [3, 7])
        #expect(calls.overdue(now: 10).next == 20)
        #expect(calls.overdue(now: 30).calls.map(\.stream) == [1, 3, 5, 7])
        #expect(calls.overdue(now: 30).next == nil)
    }

    @Test func eachWaiterIsHandedOutOnce() throws {
        var calls = sample()
        #expect(calls.stream(of: 500) == 5)
        #expect(calls.stream(of: 5) == nil)
        #expect(calls.take(5) == "5")
        #expect(calls.take(5) == nil)
        #expect(calls.stream(of: 500) == nil)
        #expect(calls.takeAll().sorted() == ["1", "3", "7"])
        #expect(calls.takeAll().isEmpty)
        #expect(calls.overdue(now: .max).calls.isEmpty)
    }
}
