import Foundation
import Synchronization
import Testing

@testable import Egress

@Suite struct NameLookupsTests {
    private let answer = [NetworkAddress(bytes: [9, 9, 9, 9])]

    /// A name server that says nothing holds up those who asked it, for as long as they were ready to wait.
    @Test func aSilentNameHoldsUpNeitherItsCallersForLongNorOtherNames() async {
        let release = DispatchSemaphore(value: 0)
        let asked = Mutex(0)
        let lookups = NameLookups { [answer] host in
            guard host == "silent.example.com" else { return answer }
            asked.withLock { $0 += 1 }
            release.wait()
            return answer
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    #expect(await lookups.addresses(of: "silent.example.com", within: 50) == nil)
                }
            }
            for number in 0..<50 {
                group.addTask {
                    #expect(await lookups.addresses(of: "\(number).example.com", within: 60_000) == answer)
                }
            }
        }
        #expect(asked.withLock { $0 } == 1, "fifty callers hold one thread")
        async let late = lookups.addresses(of: "silent.example.com", within: 60_000)
        release.signal()
        // Shared with the lookup that was under way, or one of its own that the next signal lets go.
        release.signal()
        #expect(await late == answer)
    }

    @Test func whoIsCancelledWaitsNoLonger() async {
        let release = DispatchSemaphore(value: 0)
        let lookups = NameLookups { _ in
            release.wait()
            return []
        }
        let task = Task { await lookups.addresses(of: "silent.example.com", within: 600_000) }
        task.cancel()
        #expect(await task.value == nil)
        release.signal()
    }
}
