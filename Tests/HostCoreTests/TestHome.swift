import Foundation
import JSONBytes
import PluginABI
import Registry
import Testing

@testable import HostCore

/// A home below /tmp that goes when the test's suite goes. Keep it in a property of the suite.
final class TestHome: Sendable {
    let home: Home

    init() throws {
        var template = Array("/tmp/nexus-core-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        home = Home(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { try? FileManager.default.removeItem(atPath: home.path) }

    func database() throws -> HostCore.Database { try HostCore.Database(path: home.database) }

    func catalog() throws -> PluginCatalog {
        try PluginCatalog(database: database(), store: BundleStore(directory: home.store))
    }

    /// Every byte of every file of the database: main file, write-ahead log, shared memory.
    func databaseBytes() throws -> [UInt8] {
        let names = try FileManager.default.contentsOfDirectory(atPath: home.path).filter {
            $0.hasPrefix("nexus.sqlite")
        }
        return try names.flatMap { try bytes("\(home.path)/\($0)") }
    }

    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try #require(chmod(path, mode) == 0)
    }

    func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return status.st_mode & 0o7777
    }
}

extension [UInt8] {
    func contains(_ text: String) -> Bool { Data(self).range(of: Data(text.utf8)) != nil }
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

/// A plugin that is right, in pieces that tests replace.
enum SamplePlugin {
    static func manifest(
        name: String = "sample", tools: [String] = ["sample_echo"], executable: String = "bin/sample",
        origin: String = "https://api.example.com", paths: String = #"["/api/v3/"]"#
    ) -> [UInt8] {
        let list = tools.map {
            #"{"name":"\#($0)","description":"d","credentials":["key","shared"],"#
                + #""inputSchema":{"type":"object","properties":{"n":{"type":"integer","maximum":9}},"#
                + #""required":["n"],"additionalProperties":false}}"#
        }.joined(separator: ",")
        return Array(
            #"""
            {"manifest":1,"name":"\#(name)","version":"1.0.0","kind":"tool","description":"d","abi":{"min":1,"max":1},
             "runtime":{"executable":"\#(executable)"},
             "permissions":{"http.fetch":[{"endpoint":"exchange","origin":"\#(origin)","methods":["GET","POST"],
               "paths":\#(paths),"reason":"r"}],
              "credentials":[{"name":"key","scope":"user","reason":"r"},
                             {"name":"shared","scope":"global","reason":"r"}]},
             "tools":[\#(list)]}
            """#.utf8)
    }

    static func bundle(
        name: String = "sample", tools: [String] = ["sample_echo"], content: String = "program"
    ) throws -> PluginBundle {
        try PluginBundle(
            manifestBytes: manifest(name: name, tools: tools), executable: Array("\u{7F}ELF\(content)".utf8))
    }

    static func installed(endpoints: [String: EndpointOverride] = [:]) throws -> InstalledPlugin {
        InstalledPlugin(
            manifest: try PluginManifest(parsing: manifest()), digest: "00", installed: "2026-01-01T00:00:00.000Z",
            endpoints: endpoints)
    }

    /// - Parameter deadline: in Unix milliseconds.
    static func context(
        endpoints: [String: EndpointOverride] = [:], deadline: UInt64 = Clock.unixMilliseconds() + 60_000
    ) throws -> CallContext {
        let now = Clock.unixMilliseconds()
        let left = deadline > now ? deadline - now : 0
        return CallContext(
            requestID: "r1", caller: Caller(actor: "agent", principal: "team/alice"),
            plugin: try installed(endpoints: endpoints), instance: "sample#1", tool: "sample_echo",
            due: Clock.monotonicNanoseconds() + left * 1_000_000,
            redactor: Redactor())
    }
}
