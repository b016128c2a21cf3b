import Foundation
import JSONBytes
import Testing

@testable import AuditLog

@Suite struct AuditLogTests {
    let folder: AuditFolder
    init() throws { folder = try AuditFolder() }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
    private func kinds() throws -> [JSONValue?] {
        try folder.lines.map { try JSONValue(parsing: Array($0.dropLast()))["kind"] }
    }

    @Test func theChainHoldsAcrossReopening() throws {
        for round in 1...5 {
            let log = try folder.open()
            #expect(try log.append([("round", JSONValue(round))]) == round)
        }
        #expect(try AuditChain.check(try folder.bytes).sequence == 5)
    }

    @Test func aLineHoldsSequencePreviousHashTimeAndMembersInThatOrder() throws {
        try folder.open().append([("kind", "call"), ("n", 1)])
        let zeros = String(repeating: "0", count: 64)
        #expect(
            try folder.bytes
                == Array(
                    #"{"seq":1,"prev":"\#(zeros)","time":"2026-11-21T00:00:00.000Z","kind":"call","n":1}"#
                        .utf8) + [0x0A])
    }

    @Test func theFilesAreForTheirOwnerOnly() throws {
        let nested = "\(folder.path)/audit"
        _ = try AuditLog(directory: nested)
        var status = stat()
        try #require(stat(nested, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        try #require(stat("\(nested)/log.jsonl", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func membersCannotForgeTheChain() throws {
        let log = try folder.open()
        try log.append([("seq", 99), ("prev", "forged"), ("time", "then"), ("kind", "x")])
        try log.append([("kind", "y")])
        #expect(try AuditChain.check(try folder.bytes).sequence == 2)
        #expect(try folder.lines.first.map { String(decoding: $0, as: UTF8.self) }?.contains("forged") == false)
    }

    @Test func anEntryNeverSpansLinesWhateverIsInIt() throws {
        let log = try folder.open()
        let evil = "a\nb\r\n\u{2028}\u{2029}\u{85}\0\"}\n{\"seq\":2}"
        try log.append([("kind", .string(evil)), (evil, .array([.string(evil)]))])
        #expect(try folder.bytes.count { $0 == 0x0A } == 1)
        #expect(try JSONValue(parsing: Array(try folder.lines[0].dropLast()))["kind"]?.stringValue == evil)
        #expect(try log.tail(10).count == 1)
    }

    @Test func editedLogIsRefusedAndLeftAsItIs() throws {
        try folder.fill(3)
        let edited = Array(
            String(decoding: try folder.bytes, as: UTF8.self).replacing("\"number\":1", with: "\"number\":7").utf8)
        try folder.replace(edited)
        let error = refusal { () throws(AuditError) in try folder.open() }
        #expect(error?.code == .broken)
        let words = error?.message ?? ""
        #expect(words.hasPrefix("audit entry 2 does not follow entry 1: the log was edited (in /"), "\(words)")
        #expect(words.contains("/log.jsonl); keep /") && words.contains("restore it from a backup"), "\(words)")
        #expect(try folder.bytes == edited)
    }

    @Test func everyTornEndIsSetAsideAndAGapRecorded() throws {
        try folder.fill(2)
        let whole = try folder.bytes
        let last = try #require(try folder.lines.last).count
        for cut in whole.count - last + 1..<whole.count {
            let fresh = try AuditFolder()
            try fresh.replace(Array(whole[..<cut]))
            do {
                let log = try fresh.open()
                #expect(try log.append([("kind", "after")]) == 3)
            }
            let torn = try Data(contentsOf: URL(fileURLWithPath: "\(fresh.path)/torn-2"))
            #expect(Array(torn) == Array(whole[(whole.count - last)..<cut]))
            let gap = try JSONValue(parsing: Array(try fresh.lines[1].dropLast()))
            #expect(
                gap["kind"] == "gap" && gap["bytes"] == JSONValue(torn.count) && gap["reason"] == "a write was cut off")
            #expect(try AuditChain.check(try fresh.bytes).sequence == 3)
        }
    }

    @Test func crashAfterTheTornEndWasSetAsideDoesNotLockTheLogForEver() throws {
        try folder.fill(1)
        let torn = Array("{\"seq\":2,".utf8)
        // The first start wrote torn-2 and died before it cut the log; the next one must get past that.
        try Data(torn).write(to: URL(fileURLWithPath: "\(folder.path)/torn-2"))
        try folder.replace(try folder.bytes + torn)
        _ = try folder.open()
        #expect(try kinds() == ["test", "gap"])
        // Another one died in between, and left less than the whole end.
        try Data([0x7B]).write(to: URL(fileURLWithPath: "\(folder.path)/torn-3"))
        try folder.replace(try folder.bytes + torn)
        _ = try folder.open()
        #expect(try kinds() == ["test", "gap", "gap"])
        let kept = try files().filter { $0.hasPrefix("torn-3") }.map {
            try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\($0)"))
        }
        #expect(kept.contains(Data(torn)) && kept.contains(Data([0x7B])))
    }

    @Test func manyWritersInOneProcessInterleaveWholeLines() async throws {
        let log = try folder.open()
        let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
            for writer in 0..<8 {
                group.addTask {
                    try (0..<50).map { try log.append([("writer", JSONValue(writer)), ("number", JSONValue($0))]) }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(numbers.sorted() == Array(1...400))
        #expect(try AuditChain.check(try folder.bytes).sequence == 400)
    }

    @Test func fullDiskRefusesTheEntryAndLeavesNothingHalfWritten() async {
        await #expect(processExitsWith: .success) {
            let folder = try AuditFolder()
            let log = try folder.open()
            signal(SIGXFSZ, SIG_IGN)
            try log.append([("kind", "before")])
            var limit = rlimit()
            try #require(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let usual = limit.rlim_cur
            limit.rlim_cur = 600
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let before = try folder.bytes
            for _ in 0..<3 {
                let error = refusal { () throws(AuditError) in
                    try log.append([("text", .string(String(repeating: "x", count: 2_000)))])
                }
                let named = error?.message.hasSuffix("; free space on its disk") == true
                try #require(error?.code == .unwritable && named)
                try #require(try folder.bytes == before)
            }
            limit.rlim_cur = usual
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            try #require(try log.append([("kind", "after")]) == 2)
            try #require(try AuditChain.check(try folder.bytes).sequence == 2)
        }
    }

    @Test func logThatIsALinkOrInAMissingPlaceIsRefused() throws {
        try Data().write(to: URL(fileURLWithPath: "\(folder.path)/victim"))
        try #require(symlink("\(folder.path)/victim", folder.file) == 0)
        #expect(refusal { () throws(AuditError) in try folder.open() }?.code == .unwritable)
        let missing = refusal { () throws(AuditError) in try AuditLog(directory: "/nonexistent/audit") }
        #expect(
            missing?.message == "the audit log /nonexistent/audit/log.jsonl cannot be opened: No such file or directory"
        )
    }

    @Test func logThatIsAPipeDoesNotHangTheHost() throws {
        try #require(mkfifo(folder.file, 0o600) == 0)
        #expect(refusal { () throws(AuditError) in try folder.open() } != nil)
    }

    @Test func theTailIsTheLastEntriesAsTheyStand() throws {
        try folder.fill(5)
        let log = try folder.open()
        #expect(try log.tail(2) == (try folder.lines.suffix(2).map { Array($0.dropLast()) }))
        #expect(try log.tail(100).count == 5)
        #expect(try log.tail(0).isEmpty)
    }
}
