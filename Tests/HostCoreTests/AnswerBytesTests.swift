import PluginABI
import Testing

@testable import HostCore

@Suite struct AnswerBytesTests {
    private func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 7, count: count) }

    @Test func windowIsFilledUpAgainOnceHalfOfItIsUsed() throws {
        var answer = AnswerBytes()
        let half = ABILimits.initialCreditBytes / 2
        let verdicts = try [half - 1, 1, ABILimits.dataBytes].map { try answer.take(bytes($0), stream: 1) }
        #expect(verdicts == [.enough, .grant(UInt32(half)), .grant(UInt32(ABILimits.dataBytes))])
    }

    @Test func oneByteMoreThanTheCreditIsFlowControl() throws {
        var answer = AnswerBytes()
        _ = try answer.take(bytes(100_000), stream: 9)
        let error = refusal { () throws(ABIError) in
            try answer.take(bytes(ABILimits.initialCreditBytes - 100_000 + 1), stream: 9)
        }
        #expect(error == ABIError(.flowControl, "162145 bytes of data came on stream 9, which had credit for 162144"))
    }

    @Test func answerIsBoundedWithTheBytesOfItsResult() throws {
        var answer = AnswerBytes()
        let fits = [HostLimits.answerBytes, 1].map { answer.finish(with: bytes($0)) }
        #expect(fits == [true, false])
        let verdict = try answer.take([1], stream: 1)
        #expect(verdict == .tooMany)
        #expect(answer.collected.count == HostLimits.answerBytes)
    }

    @Test func ofBytesThatPassThroughOnlyThoseThatWereReadMayComeAgain() throws {
        var answer = AnswerBytes(passThrough: true)
        let half = ABILimits.initialCreditBytes / 2
        let verdicts = try [half, half].map { try answer.take(bytes($0), stream: 1) }
        #expect(verdicts == [.enough, .enough])
        #expect(refusal { () throws(ABIError) in try answer.take([1], stream: 1) }?.code == .flowControl)
        let grants = [half - 1, 1, half].map { answer.take($0) }
        #expect(grants == [nil, UInt32(half), UInt32(half)])
        #expect(answer.collected.isEmpty)
        let fits = [HostLimits.streamedBytes - 2 * half, 1].map { answer.finish(with: bytes($0)) }
        #expect(fits == [true, false])
    }

    @Test func oneAnswerIsDueForEachStreamThatWasGivenUp() {
        var streams = GivenUpStreams()
        streams.add(3)
        let few = [3, 3, 5].map { streams.answered($0) }
        #expect(few == [true, false, false])
        for stream in stride(from: 101 as UInt64, to: 10_000, by: 2) { streams.add(stream) }
        // Too many to remember: none of the forgotten is called a mistake.
        let many = [101, 101, 9_999, 9_999].map { streams.answered($0) }
        #expect(many == [true, true, true, false])
    }
}
