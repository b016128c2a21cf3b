import Synchronization
import Testing

@testable import HostCore

@Suite struct OutputCaptureTests {
    @Test func linesAreMadeSafeToPrintAndCut() {
        let seen = Mutex<[String]>([])
        let log = PluginLog { line in seen.withLock { $0.append(line) } }
        log.add("stdout", "a\u{1B}[2Jb\r\0\u{9B}c")
        log.add("stdout", String(repeating: "x", count: 100_000))
        log.add("stdout", "e" + String(repeating: "\u{301}", count: 100_000))
        let lines = log.recent(3)
        #expect(lines.first == "stdout: a\\u{1B}[2Jb\\r\\0\\u{009B}c")
        #expect(lines.allSatisfy { $0.unicodeScalars.count <= HostLimits.logLineBytes + 16 })
        #expect(seen.withLock { $0 } == lines)
    }

    @Test func onlyTheLastLinesAreKept() {
        let log = PluginLog { _ in }
        for number in 0..<1_000 { log.add("stderr", "\(number)") }
        #expect(log.recent(10_000).count == HostLimits.keptLogLines)
        #expect(log.recent(1) == ["stderr: 999"])
    }
}
