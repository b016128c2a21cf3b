import Testing

@testable import Sandbox

@Suite struct DenialGateTests {
    private let start = ContinuousClock.now

    private func denial(_ number: Int32 = 41, time: Int64 = 0) -> JailDenial {
        JailDenial(
            time: time, call: "socket", number: number, arguments: [], detail: "", answer: "EPERM", profile: "strict",
            reason: "", advice: "", processID: 1)
    }

    @Test func theFirstAreAnsweredAtOnceAndTheRestWait() throws {
        var gate = DenialGate(now: start)
        let first = (0..<DenialGate.answersAtOnce).map { _ in gate.admit(now: start) }
        #expect(first.allSatisfy { $0 == nil })
        let refused = gate.admit(now: start)
        let later = try #require(refused)
        #expect(later > start)
        #expect(later - start <= .seconds(1) / DenialGate.answersPerSecond)
        let answers = [gate.admit(now: later) == nil, gate.admit(now: later) == nil]
        #expect(answers == [true, false])
    }

    @Test func aFloodIsAnsweredAtTheRateAndNoFaster() {
        var gate = DenialGate(now: start)
        var answered = 0
        for millisecond in 0..<10_000 where gate.admit(now: start + .milliseconds(millisecond)) == nil { answered += 1 }
        #expect(answered <= DenialGate.answersAtOnce + 10 * DenialGate.answersPerSecond)
        #expect(answered >= 10 * DenialGate.answersPerSecond)
    }

    @Test func whatComesTooFastIsCountedInTheNextEvent() {
        var gate = DenialGate(now: start)
        var said: [JailDenial] = []
        for time in 0..<Int64(500) {
            if let event = gate.refused(denial(time: time), now: start) { said.append(event) }
        }
        #expect(said.count == DenialGate.eventsAtOnce)
        #expect(gate.holdsBack)
        let rest = gate.flush(now: start + .seconds(1))
        #expect(rest.map(\.count) == [500 - DenialGate.eventsAtOnce])
        #expect(rest.map(\.time) == [499])
        #expect(!gate.holdsBack)
    }

    @Test func differentCallsAreNotCountedTogether() {
        var gate = DenialGate(now: start)
        for _ in 0..<DenialGate.eventsAtOnce { _ = gate.refused(denial(), now: start) }
        let said = [1, 2, 1, 1].compactMap { gate.refused(denial($0), now: start) }
        let (early, last) = (gate.flush(now: start), gate.flush(now: start, last: true))
        #expect(said.isEmpty && early.isEmpty)
        #expect(last.map(\.count) == [3, 1])
    }

    @Test func timeThatGoesBackwardsGivesNothing() {
        var bucket = TokenBucket(capacity: 1, perSecond: 1, now: start)
        let taken = [start, start - .seconds(100), start + .seconds(1)].map { bucket.take(now: $0) }
        #expect(taken == [true, false, true])
    }
}
