import HostAPI
import JSONBytes
import Testing

@testable import nexus

@Suite struct CommandFailureTests {
    @Test func theHostsAnswerIsShownWhole() {
        let answer = APIFailure(
            code: "unavailable", message: "busy", retryable: true, retryAfterMilliseconds: 250, request: "ab")
        let failure = CommandFailure(answer)
        #expect(failure.shown == answer && failure.exitCode == 1 && "\(failure)" == "busy")
        let json = #"{"error":{"code":"unavailable","message":"busy","retryable":true,"retryAfterMilliseconds":250,"#
        #expect(failure.shown.json.text == json + #""request":"ab"}}"#)
    }

    @Test func whatTheCommandItselfFindsIsNoReasonToTryAgain() {
        let failure = CommandFailure("no such file", exitCode: 64)
        #expect(failure.shown == APIFailure(code: "failed", message: "no such file", retryable: false))
        #expect(failure.exitCode == 64)
    }
}
