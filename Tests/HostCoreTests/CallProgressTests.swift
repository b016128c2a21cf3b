import PluginABI
import Testing

@testable import HostCore

@Suite struct CallProgressTests {
    private func progress(_ message: String?, secret: String = "s3cret-value") -> CallProgress {
        let redactor = Redactor()
        redactor.learn([Credential(name: "key", value: SecretBytes(copying: Array(secret.utf8)))])
        return CallProgress(Message.Progress(done: 1, total: 2, message: message), redactor: redactor)
    }

    @Test func aCredentialInAMessageIsTakenOut() {
        #expect(progress("got s3cret-value").message == "got [redacted]")
        #expect(progress(nil).message == nil)
    }

    @Test func aCredentialAcrossTheCutIsTakenOutBeforeTheCut() {
        let padding = String(repeating: "x", count: HostLimits.progressMessageScalars - 4)
        #expect(progress(padding + "s3cret-value").message == padding + "[red")
    }

    @Test func aMessageIsShortAndSteersNoTerminal() {
        #expect(progress(String(repeating: "é", count: 5_000)).message?.count == HostLimits.progressMessageScalars)
        #expect(progress("a\u{1B}[2J\nb").message == "a\\u{1B}[2J\\u{A}b")
    }

    @Test func aMessageThatIsTooLongToSearchIsLeftOut() {
        let progress = progress(String(repeating: "x", count: HostLimits.rawProgressMessageBytes + 1))
        #expect(progress.message == nil)
        #expect(progress.done == 1 && progress.total == 2)
    }
}
