import Conformance
import JSONBytes
import Testing

@Suite struct ConformanceReportTests {
    private let report = ConformanceReport(
        subject: "a <plugin> & \u{1B}[31m", side: "plugin",
        results: [
            CheckResult(
                requirement: "ABI-1.1", title: "first", group: "frames", outcome: .passed, milliseconds: 1_234),
            CheckResult(
                requirement: "ABI-1.2", title: "second \"quoted\"", group: "frames",
                outcome: .failed(
                    why: "expected <pong>; \u{0}nothing \u{FFFE}came", remedy: "answer", transcript: ["host ping"]),
                milliseconds: 5),
            CheckResult(
                requirement: "ABI-2.1", title: "third", group: "calls", outcome: .skipped(reason: "no slow tool"),
                milliseconds: 0),
        ], milliseconds: 1_250)

    @Test func textSaysWhatFailedWhyAndWhatToDo() {
        let text = report.text(isTerminal: false)
        #expect(text.contains("FAIL ABI-1.2   second \"quoted\"\n"))
        #expect(text.contains("expected <pong>; \\u{0}nothing"))
        #expect(text.contains("fix: answer"))
        #expect(text.contains("frames: host ping"))
        #expect(text.contains("3 checks, 1 passed, 1 failed, 1 skipped, 1.3 s"))
        #expect(text.contains("does not conform: ABI-1.2"))
    }

    @Test func skipsAreLoud() {
        #expect(report.text(isTerminal: false).contains("SKIP ABI-2.1   third\n"))
        #expect(report.summary(isTerminal: false).contains("1 checks were SKIPPED"))
    }

    @Test func aReasonThatManyChecksShareIsToldOnce() {
        var report = report
        report.results += (1...5).map { number in
            CheckResult(
                requirement: "ABI-3.\(number)", title: "other \(number)", group: "frames",
                outcome: .skipped(reason: "no such program"), milliseconds: 0)
        }
        let text = report.text(isTerminal: false)
        #expect(text.split(separator: "no such program").count == 2)
        #expect(text.contains("SKIP 5 checks for one reason\n"))
        #expect(text.contains("of: ABI-3.1, ABI-3.2, ABI-3.3, ABI-3.4, ABI-3.5\n"))
        #expect(text.contains("SKIP ABI-2.1   third\n"))
    }

    @Test func nothingOfThePluginSteersATerminal() {
        #expect(!report.text(isTerminal: false).contains("\u{1B}"))
        #expect(!report.text(isTerminal: true).contains("& \u{1B}[31m"))
        #expect(report.text(isTerminal: true).contains("\u{1B}[31mFAIL\u{1B}[0m"))
    }

    @Test func jsonHasCountsAndEveryCheck() throws {
        let json = try JSONValue(parsing: report.json.text)
        #expect(json["conforms"] == false)
        #expect(json["counts"]?["skipped"] == 1)
        #expect(json["checks"]?.arrayValue?.count == 3)
        #expect(json["checks"]?.arrayValue?[1]["fix"] == "answer")
        #expect(json["checks"]?.arrayValue?[2]["reason"] == "no slow tool")
    }

    @Test func junitEscapesWhatXMLCannotHold() {
        let xml = report.junit
        #expect(
            xml.hasPrefix(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"a &lt;plugin&gt; &amp; \\u{1B}[31m\""))
        #expect(xml.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"1.250\""))
        #expect(xml.contains("<failure message=\"expected &lt;pong&gt;; \\u{0}nothing \\u{FFFE}came\">"))
        #expect(xml.contains("<testsuite name=\"calls\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""))
        #expect(xml.contains("time=\"1.234\"/>"))
        #expect(!xml.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test func theExitCodeIsZeroOnlyWhenNothingFailedAndSomethingPassed() {
        var report = report
        #expect(report.exitCode == 1)
        report.results.removeAll(where: \.isFailure)
        #expect(report.exitCode == 0)
        report.results.removeFirst()
        #expect(report.exitCode == 1)
    }
}
