import Glibc
import Synchronization
import Testing

@testable import HostCore

@Suite(.timeLimit(.minutes(5))) struct DescriptorPollerTests {
    /// A socket that the poller watches, and its other end.
    private struct Line {
        let near: Int32
        let far: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
            (near, far) = (ends[0], ends[1])
        }

        func ring() { send(far, [1], 1, Int32(MSG_NOSIGNAL)) }

        func close(_ poller: DescriptorPoller, _ ticket: UInt64) {
            poller.forget(near, ticket)
            Glibc.close(near)
            Glibc.close(far)
        }
    }

    private final class Record: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    @Test func aTaskThatPrefersItStaysOnItsThread() async throws {
        let poller = try DescriptorPoller()
        let threads = await withTaskExecutorPreference(poller) {
            var threads: Set<UInt> = []
            for round in 0..<20 {
                threads.insert(pthread_self())
                // Sleeps now and then, so that the thread has to be woken too.
                if round.isMultiple(of: 5) { try? await Task.sleep(for: .milliseconds(2)) } else { await Task.yield() }
            }
            return threads
        }
        #expect(threads.count == 1)
        let own = await withTaskExecutorPreference(poller) { poller.atEndOfTurn { _, _ in } }
        #expect(own)
        #expect(!poller.atEndOfTurn { _, _ in })
    }

    @Test func timersComeInOrderNeverEarlyAndNotOnceTheyAreCancelled() async throws {
        let poller = try DescriptorPoller()
        let record = Record()
        await withCheckedContinuation { done in
            // Set on its own thread, so that none can come before all of them are.
            _ = poller.timer(at: 0) {
                let start = Clock.monotonicNanoseconds()
                for (name, milliseconds) in [("third", 20), ("second", 10), ("first", 0)] as [(String, UInt64)] {
                    let due = start + milliseconds * 1_000_000
                    _ = poller.timer(at: due) {
                        record.add(Clock.monotonicNanoseconds() >= due ? name : "too early")
                        if name == "third" { done.resume() }
                    }
                }
                poller.cancel(poller.timer(at: start) { record.add("cancelled") })
            }
        }
        #expect(record.all == ["first", "second", "third"])
    }

    @Test func aTimerWakesItFromALongerSleep() async throws {
        let poller = try DescriptorPoller()
        let far = poller.timer(afterMilliseconds: 3_600_000) {}
        for _ in 0..<200 {
            await withCheckedContinuation { done in _ = poller.timer(at: 0) { done.resume() } }
            await Task.yield()
        }
        poller.cancel(far)
    }

    @Test func tasksThatAreAlwaysReadyStopNoDescriptorAndNoTimer() async throws {
        let poller = try DescriptorPoller()
        let line = try Line()
        let record = Record()
        let ticket = poller.watch(line.near) { _, _ in record.add("descriptor") }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask(executorPreference: poller) {
                    if number == 0 {
                        line.ring()
                        _ = poller.timer(at: 0) { record.add("timer") }
                    }
                    // Ends only if the others have their turn.
                    while Set(record.all) != ["descriptor", "timer"] { await Task.yield() }
                }
            }
        }
        line.close(poller, ticket)
    }

    @Test func aDescriptorThatIsAlwaysReadyStopsNoOtherAndNoTask() async throws {
        let poller = try DescriptorPoller()
        let (flood, other) = (try Line(), try Line())
        let turns = Record()
        // Never read, so ready for ever.
        let floodTicket = poller.watch(flood.near) { _, _ in if turns.all.isEmpty { turns.add("turn") } }
        flood.ring()
        while turns.all.isEmpty { await Task.yield() }
        let (served, continuation) = AsyncStream<Void>.makeStream()
        let otherTicket = poller.watch(other.near) { _, room in
            recv(other.near, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            continuation.yield()
        }
        other.ring()
        for await _ in served { break }
        await withTaskExecutorPreference(poller) { await Task.yield() }
        flood.close(poller, floodTicket)
        other.close(poller, otherTicket)
    }

    @Test func theEndOfATurnIsAfterItsTasks() async throws {
        let poller = try DescriptorPoller()
        let record = Record()
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: poller) {
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<3 {
                        group.addTask {
                            record.add("task \(number)")
                            if number == 0 { _ = poller.atEndOfTurn { _, _ in record.add("end") } }
                        }
                    }
                }
            }
        }
        while record.all.count < 4 { await Task.yield() }
        #expect(record.all == ["task 0", "task 1", "task 2", "end"])
    }
}
