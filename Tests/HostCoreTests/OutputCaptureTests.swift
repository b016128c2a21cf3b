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
        #expect(lines.first == "stdout: a\\u{1B}[2Jb\\u{D}\\u{0}\\u{9B}c")
        #expect(lines.allSatisfy { $0.unicodeScalars.count <= HostLimits.logLineBytes + 16 })
        #expect(seen.withLock { $0 } == lines)
    }

    @Test func onlyTheLastLinesAreKept() {
        let seconds = Mutex(0)
        let log = PluginLog(now: {
            seconds.withLock {
                $0 += 1; return $0
            }
        }) { _ in }
        for number in 0..<1_000 { log.add("stderr", "\(number)") }
        #expect(log.recent(10_000).count == HostLimits.keptLogLines)
        #expect(log.recent(1) == ["stderr: 999"])
    }

    @Test func floodOfLinesIsDroppedBeyondTheRateAndCounted() {
        let second = Mutex(1)
        let seen = Mutex<[String]>([])
        let log = PluginLog(now: { second.withLock { $0 } }) { line in seen.withLock { $0.append(line) } }
        for number in 0..<5_000 { log.add("log/info", "\(number)") }
        #expect(seen.withLock { $0.count } == HostLimits.logLinesPerSecond)
        second.withLock { $0 = 2 }
        log.add("log/info", "next")
        let last = seen.withLock { Array($0.suffix(2)) }
        #expect(last == ["nexusd: 4900 lines were dropped; the limit is 100 a second", "log/info: next"])
    }
}
