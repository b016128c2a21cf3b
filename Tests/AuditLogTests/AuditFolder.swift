import Foundation
import JSONBytes
import Testing

@testable import AuditLog

/// A log's folder below /tmp that goes when the test's suite goes. Keep it in a property of the suite.
final class AuditFolder: Sendable {
    let path: String
    var file: String { "\(path)/\(AuditLog.fileName)" }

    init() throws {
        var template = Array("/tmp/nexus-audit-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open() throws(AuditError) -> AuditLog { try AuditLog(directory: path) { "2026-11-21T00:00:00.000Z" } }

    var bytes: [UInt8] { get throws { Array(try Data(contentsOf: URL(fileURLWithPath: file))) } }

    func replace(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: file)) }

    /// Whole lines, each with its newline.
    var lines: [[UInt8]] { get throws { try bytes.split(separator: 0x0A).map { Array($0) + [0x0A] } } }

    func fill(_ count: Int) throws {
        let log = try open()
        for number in 1...count { try log.append([("kind", "test"), ("number", JSONValue(number))]) }
    }
}

/// What a throwing expression threw.
func refusal<Failure: Error>(_ body: () throws(Failure) -> some Any) -> Failure? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
