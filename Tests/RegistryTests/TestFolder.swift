import Foundation
import Testing

@testable import Registry

/// A folder below /tmp that goes when the test's suite goes. Keep it in a property of the suite.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/nexus-registry-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }

    func mode(_ name: String) throws -> mode_t {
        var status = stat()
        try #require(lstat("\(path)/\(name)", &status) == 0)
        return status.st_mode & 0o7777
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

enum SampleBundle {
    static let program = Array("\u{7F}ELF a program".utf8)

    static let zip = zip(["__main__.py"])

    /// A zip of stored, empty files, as Python's zipfile writes it (APPNOTE.TXT 6.3).
    static func zip(_ names: [String], comment: String = "") -> [UInt8] {
        let short = { (value: Int) in [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF)] }
        let long = { (value: Int) in short(value) + short(value >> 16) }
        var files: [UInt8] = []
        var directory: [UInt8] = []
        for name in names {
            let shared = short(20) + [UInt8](repeating: 0, count: 20) + short(name.utf8.count) + short(0)
            directory += [0x50, 0x4B, 0x01, 0x02] + short(20) + shared + [UInt8](repeating: 0, count: 10)
            directory += long(files.count) + Array(name.utf8)
            files += [0x50, 0x4B, 0x03, 0x04] + shared + Array(name.utf8)
        }
        let end = short(0) + short(0) + short(names.count) + short(names.count) + long(directory.count)
        return files + directory + [0x50, 0x4B, 0x05, 0x06] + end + long(files.count) + short(comment.utf8.count)
            + Array(comment.utf8)
    }

    static func manifest(
        executable: String = "bin/sample", permissions: String = "{}", runtime: String = "native"
    ) -> [UInt8] {
        Array(
            #"""
            {"manifest":1,"name":"sample","version":"1.0.0","kind":"reporting","description":"d",
             "abi":{"min":1,"max":1},
             "runtime":{"executable":"\#(executable)","type":"\#(runtime)"},"permissions":\#(permissions)}
            """#.utf8)
    }

    static func bundle(documents: [PluginBundle.Document: [UInt8]] = [:]) throws -> PluginBundle {
        try PluginBundle(manifestBytes: manifest(), executable: program, documents: documents)
    }
}
