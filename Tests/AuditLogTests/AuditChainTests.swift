import Foundation
import JSONBytes
import Testing

@testable import AuditLog

@Suite struct AuditChainTests {
    let folder: AuditFolder
    private let count = 6

    init() throws {
        folder = try AuditFolder()
        try folder.fill(6)
    }

    private func message(_ lines: [[UInt8]]) -> String? {
        refusal { () throws(AuditError) in try AuditChain.check(Array(lines.joined())) }?.message
    }
    private func follows(_ number: Int) -> String {
        "audit entry \(number) does not follow entry \(number - 1): the log was edited"
    }
    private func outOfOrder(_ number: Int) -> String {
        "audit entry \(number) is missing or out of order: the log was edited"
    }

    @Test func aLogThatWasOnlyAppendedToHolds() throws {
        let tail = try AuditChain.check(try folder.bytes)
        #expect(tail.sequence == count && tail.torn.isEmpty)
        #expect(tail.end == (try folder.bytes.count))
        #expect(try AuditChain.check([]) == .init(sequence: 0, hash: AuditLog.genesis, end: 0, torn: []))
    }

    @Test func editedLineIsFoundByTheLineAfterIt() throws {
        let lines = try folder.lines
        for index in 0..<count - 1 {
            var edited = lines
            let text = String(decoding: lines[index], as: UTF8.self).replacing(
                "\"kind\":\"test\"", with: "\"kind\":\"tess\"")
            edited[index] = Array(text.utf8)
            #expect(message(edited) == follows(index + 2))
        }
    }

    @Test func anyFlippedBitBeforeTheLastLineIsFound() throws {
        let good = try folder.bytes
        let end = good.count - (try #require(try folder.lines.last).count)
        for position in 0..<end {
            var bytes = good
            bytes[position] ^= 1 << UInt8(position % 8)
            #expect(
                refusal { () throws(AuditError) in try AuditChain.check(bytes) }?.code == .broken, "byte \(position)")
        }
    }

    @Test func deletedLineIsFound() throws {
        for index in 0..<count - 1 {
            var lines = try folder.lines
            lines.remove(at: index)
            #expect(message(lines) == outOfOrder(index + 1))
        }
    }

    @Test func deletedLineWithTheRestRenumberedIsFound() throws {
        var lines = try folder.lines
        lines.remove(at: 2)
        lines = try lines.enumerated().map { index, line in
            var object = try #require(try JSONValue(parsing: Array(line.dropLast())).objectValue)
            object["seq"] = JSONValue(index + 1)
            return JSONValue.object(object).encoded() + [0x0A]
        }
        #expect(message(lines) == follows(3))
    }

    @Test func insertedLineIsFound() throws {
        let forged = Array("{\"seq\":3,\"prev\":\"\(AuditLog.genesis)\",\"kind\":\"forged\"}\n".utf8)
        var lines = try folder.lines
        lines.insert(forged, at: 2)
        #expect(message(lines) == follows(3))
        for blank in ["\n", "{}\n", "null\n", "not json\n"] {
            lines = try folder.lines
            lines.insert(Array(blank.utf8), at: 2)
            #expect(message(lines) != nil, "\(blank)")
        }
    }

    @Test func swappedLinesAreFound() throws {
        for first in 0..<count {
            for second in first + 1..<count {
                var lines = try folder.lines
                lines.swapAt(first, second)
                #expect(message(lines) == outOfOrder(first + 1))
            }
        }
    }

    @Test func duplicatedLineIsFound() throws {
        for index in 0..<count {
            var lines = try folder.lines
            lines.insert(lines[index], at: index)
            #expect(message(lines) == outOfOrder(index + 2))
        }
    }

    @Test func lineThatIsNoJSONIsFoundByNumber() throws {
        var lines = try folder.lines
        lines[3] = Array("{\"seq\":4,\n".utf8)
        #expect(message(lines) == "audit entry 4 is not JSON: the log was edited or damaged")
    }

    @Test func repeatedNamesCannotHideASecondMeaning() throws {
        var lines = try folder.lines
        lines[1] = Array(
            String(decoding: lines[1], as: UTF8.self).replacing("{\"seq\":2", with: "{\"seq\":9,\"seq\":2").utf8)
        #expect(message(lines) == "audit entry 2 is not JSON: the log was edited or damaged")
    }

    @Test func logOfAnotherHostIsFoundWhenItIsJoinedOn() throws {
        let other = try AuditFolder()
        let log = try AuditLog(directory: other.path)
        for _ in 0..<6 { try log.append([("kind", "other")]) }
        let lines = try folder.lines
        #expect(message(Array(lines[..<3]) + Array(try other.lines[3...])) == follows(4))
        withExtendedLifetime(other) {}
    }

    @Test func bytesAfterTheLastNewlineAreTornAndNoEntry() throws {
        let good = try folder.bytes
        for extra in ["x", "{\"seq\":7", "\u{0}\u{0}"] {
            let tail = try AuditChain.check(good + Array(extra.utf8))
            #expect(tail.sequence == count && tail.end == good.count && tail.torn == Array(extra.utf8))
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SystemRandomNumberGenerator()
        for length in 0..<300 {
            _ = try? AuditChain.check((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }
}
