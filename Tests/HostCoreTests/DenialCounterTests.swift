import AuditLog
import JSONBytes
import Synchronization
import Testing

@testable import HostCore
@testable import Sandbox

@Suite struct DenialCounterTests {
    private let folder: TestHome

    init() throws { folder = try TestHome() }

    private func refused(_ call: String, count: Int = 1) -> Denial {
        let denial = JailDenial(
            time: 1, call: call, number: 1, arguments: [0, 0, 0, 0, 0, 0], detail: "x", answer: "EPERM",
            profile: "strict", reason: "r", advice: "a", processID: 7, count: count)
        return Denial(denial, plugin: "p", instance: "p#1", in: nil)
    }

    @Test func floodOfDenialsIsRecordedUpToALimitAndSaidToGoOnOnce() {
        let counter = DenialCounter()
        let verdicts = (0..<1_000).map { _ in counter.next(refused("socket")) }
        #expect(verdicts.count { $0 == .record } == HostLimits.recordedDenials - 1)
        #expect(verdicts.count { $0 == .recordAsLast } == 1)
        #expect(verdicts.suffix(1_000 - HostLimits.recordedDenials).allSatisfy { $0 == .skip })
    }

    /// What comes behind a flood is not hidden by it.
    @Test func whatIsNotRecordedIsCountedByKindAndToldAtTheEnd() throws {
        let audit = try AuditLog(directory: folder.home.audit)
        var counter: DenialCounter? = DenialCounter()
        for _ in 0..<100 {
            if let counter { refused("socket").record(to: audit, in: nil, counter: counter) }
        }
        if let counter { refused("bpf", count: 7).record(to: audit, in: nil, counter: counter) }
        #expect(try entries().count == HostLimits.recordedDenials)
        #expect(try entries().last?["more"]?.stringValue?.contains("told at its end") == true)
        counter = nil
        let last = try #require(try entries().last)
        #expect(try entries().count == HostLimits.recordedDenials + 1)
        #expect(last["what"] == "87 more denials, which were counted only" && last["plugin"] == "p")
        #expect(last["counts"]?["system call socket"] == 80 && last["counts"]?["system call bpf"] == 7)
    }

    @Test func aCallWithFewDenialsEndsWithoutAWord() throws {
        let audit = try AuditLog(directory: folder.home.audit)
        var counter: DenialCounter? = DenialCounter()
        if let counter { refused("socket").record(to: audit, in: nil, counter: counter) }
        counter = nil
        #expect(try entries().count == 1 && counter == nil)
    }

    private func entries() throws -> [JSONValue] {
        try String(decoding: folder.bytes("\(folder.home.audit)/log.jsonl"), as: UTF8.self).split(separator: "\n")
            .map { try JSONValue(parsing: String($0)) }
    }

    @Test func theLastDenialOfACallIsTheOneThatItsErrorTells() {
        let counter = DenialCounter()
        #expect(counter.last == nil)
        for call in ["first", "second"] { counter.keep(refused(call)) }
        #expect(counter.last?.call == "second")
    }
}
