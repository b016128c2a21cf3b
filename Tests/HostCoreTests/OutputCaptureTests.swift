import PluginABI
import Synchronization
import Testing

@testable import HostCore

@Suite struct OutputCaptureTests {
    @Test func linesAreMadeSafeToPrintAndCut() {
        let seen = Mutex<[String]>([])
        let log = PluginLog { line in seen.withLock { $0.append(line.text) } }
        log.add("stdout", "a\u{1B}[2Jb\r\0\u{9B}c")
        log.add("stdout", String(repeating: "x", count: 100_000))
        log.add("stdout", "e" + String(repeating: "\u{301}", count: 100_000))
        let lines = log.recent(3)
        #expect(lines.first == "stdout: a\\u{1B}[2Jb\\u{D}\\u{0}\\u{9B}c")
        #expect(lines.allSatisfy { $0.unicodeScalars.count <= HostLimits.logLineBytes + 16 })
        #expect(seen.withLock { $0 } == lines)
    }

    @Test func aLineOfACallNamesItsRequest() {
        let seen = Mutex<[PluginLog.Line]>([])
        let log = PluginLog { line in seen.withLock { $0.append(line) } }
        log.add(Message.LogRecord(level: .info, message: "m"), request: "r1")
        log.add(Diagnosis.unanswered("t"), request: "r2")
        log.add(
            Denial(
                plugin: "p", instance: "p#1", requestID: "r3", what: "w", rule: "r", reason: "r", permission: nil,
                command: nil))
        log.add("stderr", "of no call")
        #expect(seen.withLock { $0.map(\.request) } == ["r1", "r2", "r3", nil])
        #expect(log.lines(after: 0, limit: 9).map(\.request) == ["r1", "r2", "r3", nil])
    }

    @Test func linesAreReadOnFromTheLastNumber() {
        let log = PluginLog { _ in }
        for number in 1...5 { log.add("stderr", "\(number)") }
        let first = log.lines(after: 0, limit: 3)
        #expect(first.map(\.number) == [1, 2, 3] && first.first?.text == "stderr: 1")
        let shape = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/
        #expect(first.allSatisfy { $0.time.wholeMatch(of: shape) != nil })
        #expect(log.lines(after: 3, limit: 3).map(\.number) == [4, 5])
        #expect(log.lines(after: 5, limit: 3).isEmpty)
        // A number from before a restart: everything that there is.
        #expect(log.lines(after: 900, limit: 3).map(\.number) == [1, 2, 3])
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
        let log = PluginLog(now: { second.withLock { $0 } }) { line in seen.withLock { $0.append(line.text) } }
        for number in 0..<5_000 { log.add("log/info", "\(number)") }
        #expect(seen.withLock { $0.count } == HostLimits.logLinesPerSecond)
        second.withLock { $0 = 2 }
        log.add("log/info", "next")
        let last = seen.withLock { Array($0.suffix(2)) }
        #expect(last == ["nexusd: 4900 lines were dropped; the limit is 100 a second", "log/info: next"])
    }

    @Test func differentRefusedCallsOfOneSecondAreAllTold() {
        let log = PluginLog(now: { 7 }) { _ in }
        for what in ["the system call a(1)", "the system call b(1)", "the system call a(1)", "the system call a(2)"] {
            var denial = Denial(
                plugin: "p", instance: "p#1", requestID: nil, what: what, rule: "system call profile strict",
                reason: "r", permission: nil, command: nil)
            denial.service = "system call"
            log.add(denial)
        }
        #expect(log.recent(9).count == 3)
    }

    @Test func mistakesAreToldOnceASecondAndNoFloodHidesThem() {
        let time = Mutex(1)
        let log = PluginLog(now: { time.withLock { $0 } }) { _ in }
        for _ in 0..<HostLimits.logLinesPerSecond + 5 { log.add("stderr", "flood") }
        for stream in 1...50 { log.add(Diagnosis.answeredTwice(UInt64(stream))) }
        #expect(log.recent(200).count { $0.contains("ABI-7.2") } == 1)
        time.withLock { $0 = 2 }
        log.add(Diagnosis.answeredTwice(99))
        #expect(log.recent(1).first?.hasSuffix("(49 times more since)") == true)
    }

    @Test func fieldsThatAreTooLargeAreLeftOut() {
        let log = PluginLog { _ in }
        let fields = Array("{\"a\":\"\(String(repeating: "x", count: HostLimits.logFieldsBytes))\"}".utf8)
        log.add(Message.LogRecord(level: .info, message: "much", fields: fields))
        #expect(log.recent(1) == ["log/info: much (\(fields.count) bytes of fields left out)"])
    }
}
