import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct DiagnosisTests {
    @Test func outputThatLooksLikeFramesIsToldWhereFramesGo() {
        let frame = Message.result(Message.Payload(json: Array("{}".utf8))).frame(stream: 1).encoded()
        #expect(Diagnosis.wroteToStandardOutput(frame).fix == "frames belong on descriptor 3")
        // What does not end is still a frame.
        #expect(Diagnosis.wroteToStandardOutput(frame.prefix(17)).fix == "frames belong on descriptor 3")
        for text in ["hello", "a line that is longer than a header\n", String(repeating: "\0", count: 40)] {
            let diagnosis = Diagnosis.wroteToStandardOutput(Array(text.utf8))
            #expect(
                "\(diagnosis)" == "ABI-2.2: the plugin writes to its standard output, which is kept as log lines only; "
                    + "log with log frames, and send answers on descriptor 3")
        }
    }

    /// Every code that ends a session leads to a requirement that the specification has.
    @Test func requirementsAreThoseOfTheSpecification() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try ["abi-v1.md", "manifest-v1.md"].map {
            try String(contentsOf: root.appendingPathComponent("sdk/spec/\($0)"), encoding: .utf8)
        }.joined()
        let codes: [ABIError.Code] = [
            .frameTooLarge, .malformedFrame, .unknownKind, .unknownCriticalField, .missingField, .unexpectedMessage,
            .unknownStream, .flowControl, .noCommonVersion, ABIError.Code("x.other"),
        ]
        let all =
            codes.map { Diagnosis.violation(ABIError($0, "m")) } + [
                .wroteToStandardOutput([]), .unanswered("t"), .answeredTwice(1), .blocksItsLoop(1), .silent(1),
                .threw("t", "m"), .answerTooLarge("t", limit: 1), .undeclaredBytes("t"), .breaksOutputSchema("t", []),
            ]
        for diagnosis in all {
            #expect(text.contains("**\(diagnosis.requirement)**"), "\(diagnosis)")
        }
        #expect(Set(codes.dropLast().map { Diagnosis.violation(ABIError($0, "m")).fix }).count == codes.count - 1)
    }

    @Test func callersReadTheProblemFirst() {
        #expect(
            Diagnosis.undeclaredBytes("shot").forCaller
                == "shot answered with bytes and declares no media type "
                + "(ABI-7.13: add \"content\" to the tool in plugin.json, or send no bytes)")
    }

    @Test func aMessageThatNamesItsRequirementKeepsIt() {
        #expect(Diagnosis.threw("greet", "the result has no name (MAN-6.3)").requirement == "MAN-6.3")
        #expect(Diagnosis.threw("greet", "bytes without content (ABI-7.13); declare it").requirement == "ABI-7.13")
        for message in ["boom", "boom (MAN-)", "boom (MAN-6.3", "(ABI-7.x)", "(ABI-7.134)"]
        where message != "boom (MAN-6.3" {
            #expect(Diagnosis.threw("greet", message).requirement == "ABI-7.6", "\(message)")
        }
    }
}
