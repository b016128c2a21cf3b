import Synchronization
import Testing

@testable import HostCore

@Suite(.timeLimit(.minutes(5))) struct CallGateTests {
    private static let later = Clock.unixMilliseconds() + 600_000

    /// A call that stays inside until it is told to go.
    private final class Visit: Sendable {
        private let stream = AsyncStream<Void>.makeStream()
        func leave() { stream.continuation.finish() }
        func stay() async { for await _ in stream.stream {} }
    }

    /// Who came in, in their order.
    private final class Guests: Sendable {
        private let order = Mutex<[Int]>([])
        func add(_ number: Int) { order.withLock { $0.append(number) } }
        var all: [Int] { order.withLock { $0 } }
    }

    private static func enter(_ gate: CallGate, _ number: Int, _ guests: Guests, _ visit: Visit?) async -> Bool {
        (try? await gate.enter(before: later) { () throws(HostError) in
            guests.add(number)
            await visit?.stay()
            return true
        }) ?? false
    }

    private func inside(_ gate: CallGate, count: Int) async -> [(visit: Visit, task: Task<Bool, Never>)] {
        let guests = Guests()
        let all = (0..<count).map { number in
            let visit = Visit()
            return (visit, Task { await Self.enter(gate, number, guests, visit) })
        }
        while guests.all.count < count { await Task.yield() }
        return all
    }

    private func refusal(_ gate: CallGate, before deadline: UInt64 = later) async -> HostError? {
        do throws(HostError) {
            try await gate.enter(before: deadline) { () throws(HostError) in }
            return nil
        } catch {
            return error
        }
    }

    @Test func asManyEnterAsTheManifestAllowsAndOthersFollowInOrder() async {
        let gate = CallGate(plugin: "sample", limit: 2)
        let first = await inside(gate, count: 2)
        let guests = Guests()
        var waiting: [Task<Bool, Never>] = []
        for number in 0..<5 {
            waiting.append(Task { await Self.enter(gate, number, guests, nil) })
            while gate.waiting <= number { await Task.yield() }
        }
        #expect(guests.all.isEmpty)
        first[0].visit.leave()
        for task in waiting { #expect(await task.value) }
        #expect(guests.all == [0, 1, 2, 3, 4])
        first[1].visit.leave()
        for call in first { #expect(await call.task.value) }
        #expect(await refusal(gate) == nil)
    }

    @Test func waitingEndsAtTheCallsDeadline() async {
        let gate = CallGate(plugin: "sample", limit: 1)
        let first = await inside(gate, count: 1)
        for deadline in [0, Clock.unixMilliseconds() + 20] {
            #expect(
                await refusal(gate, before: deadline)
                    == HostError(
                        .deadlineExceeded, "the plugin sample was busy until the call's deadline", retryable: true))
        }
        first[0].visit.leave()
        #expect(await first[0].task.value)
        #expect(await refusal(gate) == nil)
    }

    @Test func cancelledCallerWaitsNoLonger() async {
        let gate = CallGate(plugin: "sample", limit: 1)
        let first = await inside(gate, count: 1)
        for _ in 0..<50 {
            let waiting = Task { await refusal(gate) }
            waiting.cancel()
            #expect(await waiting.value?.code.rawValue == "cancelled")
        }
        #expect(gate.waiting == 0)
        first[0].visit.leave()
    }

    @Test func queueIsBounded() async {
        let gate = CallGate(plugin: "sample", limit: 1)
        let first = await inside(gate, count: 1)
        let waiting = (0..<HostLimits.queuedCalls).map { _ in Task { await refusal(gate) } }
        while gate.waiting < HostLimits.queuedCalls { await Task.yield() }
        #expect(
            await refusal(gate)
                == HostError(
                    .unavailable, "64 calls wait for the plugin sample, which serves 1 at once; try again",
                    retryable: true))
        first[0].visit.leave()
        for task in waiting { #expect(await task.value == nil) }
    }
}
