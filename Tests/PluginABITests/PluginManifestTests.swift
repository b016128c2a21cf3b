import JSONBytes
import SpecVectors
import Testing

@testable import PluginABI

/// A manifest that is right, and the ways to make it wrong.
enum ManifestSamples {
    static let good = #"""
        {"manifest":1,"name":"crypto-bot","version":"1.2.3","kind":"tool","description":"Trades",
         "abi":{"min":1,"max":2},
         "runtime":{"executable":"bin/crypto-bot","arguments":["--quiet"]},
         "permissions":{
           "http.fetch":[{"endpoint":"exchange","origin":"https://api.example.com","methods":["GET","POST"],
                          "paths":["/api/v3/"],"reason":"Prices"}],
           "credentials":[{"name":"key","scope":"user","reason":"To sign"},
                          {"name":"shared","scope":"global","reason":"x"}],
           "resources":{"memoryMegabytes":64,"processes":4,"openFiles":32,"reason":"Small"}},
         "tools":[{"name":"price","title":"Price","description":"Says a price",
                   "inputSchema":{"type":"object","properties":{"symbol":{"type":"string"}}},
                   "outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"credentials":["key"]}]}
        """#

    /// The good manifest with the value at `path` replaced, or removed if there is none.
    static func changed(_ path: [String], to value: JSONValue?) throws -> [UInt8] {
        try set(JSONValue(parsing: good), path[...], value).encoded()
    }

    private static func set(_ whole: JSONValue, _ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue {
        guard let first = path.first else { return value ?? nil }
        let rest = path.dropFirst()
        if var items = whole.arrayValue, let index = Int(first) {
            let item = index < items.count ? set(items[index], rest, value) : (value ?? nil)
            if index < items.count { items[index] = item } else { items.append(item) }
            return .array(items)
        }
        var object = whole.objectValue ?? JSONObject()
        object[first] = rest.isEmpty ? value : set(object[first] ?? [:], rest, value)
        return .object(object)
    }

    static func refusal(_ path: [String], _ value: JSONValue?) throws -> String {
        refusal(of: try changed(path, to: value))
    }

    static func refusal(of bytes: [UInt8]) -> String {
        do {
            _ = try PluginManifest(parsing: bytes)
            return "accepted"
        } catch {
            return error.description
        }
    }

    static func vectors() throws -> [JSONValue] {
        try #require(SpecFiles.json("sdk/spec/vectors/manifests.json")["vectors"]?.arrayValue)
    }

    static func vector(_ name: String) throws -> JSONValue? { try vectors().first { $0["name"]?.stringValue == name } }
}

@Suite struct PluginManifestTests {
    @Test func aGoodManifestIsReadWhole() throws {
        let manifest = try PluginManifest(parsing: Array(ManifestSamples.good.utf8))
        #expect(manifest.name == "crypto-bot")
        #expect(manifest.version == "1.2.3")
        #expect(manifest.kind == .tool)
        #expect(manifest.abi == VersionRange(1, 2))
        #expect(manifest.runtime == .native)
        #expect(manifest.executable == "bin/crypto-bot")
        #expect(manifest.arguments == ["--quiet"])
        #expect(
            manifest.permissions.httpFetch == [
                Permissions.HTTPFetch(
                    endpoint: "exchange", origin: "https://api.example.com", methods: ["GET", "POST"],
                    paths: ["/api/v3/"],
                    reason: "Prices")
            ])
        #expect(manifest.permissions.credentials.map(\.scope) == [.user, .global])
        #expect(
            manifest.permissions.resources
                == Permissions.Resources(memoryMegabytes: 64, processes: 4, openFiles: 32, reason: "Small"))
        let tool = try #require(manifest.tools.first)
        #expect(tool.credentials == ["key"])
        #expect(tool.annotations == ["readOnlyHint": true])
    }

    @Test func theSmallestManifestAsksForNothing() throws {
        let manifest = try PluginManifest(
            parsing: Array(
                #"""
                {"manifest":1,"name":"a","version":"0.0.1","kind":"reporting","description":"d","abi":{"min":1,"max":1},
                 "runtime":{"executable":"a"}}
                """#.utf8))
        #expect(manifest.permissions == Permissions())
        #expect(manifest.tools.isEmpty)
        #expect(manifest.arguments.isEmpty)
        #expect(manifest.runtime == .native)
        #expect(manifest.isolation == .shared)
        #expect(manifest.concurrency == 1)
        #expect(manifest.publisher == nil && manifest.license == nil && manifest.homepage == nil)
    }

    @Test func everyFieldOfTheVectorWithAllFieldsIsKept() throws {
        let vector = try #require(try ManifestSamples.vector("everything-at-once"))
        let manifest = try PluginManifest(parsing: #require(vector["manifest"]).encoded())
        #expect(manifest.publisher == "Example GmbH")
        #expect(manifest.license == "Apache-2.0")
        #expect(manifest.homepage == "https://example.com/hello")
        #expect(manifest.runtime == .python)
        #expect(manifest.executable == "dist/hello.pyz")
        #expect(manifest.arguments == ["--quiet", "two words"])
        #expect(manifest.isolation == .perUser)
        #expect(manifest.concurrency == 64)
        #expect(manifest.permissions.httpFetch.map(\.endpoint) == ["e", "f"])
        #expect(
            manifest.permissions.netConnect.first
                == Permissions.NetConnect(host: "db.example.com", port: 5_432, reason: "The database"))
        #expect(
            manifest.permissions.filesystem == [
                Permissions.FileAccess(path: "/srv/data", access: .read, reason: "Reports"),
                Permissions.FileAccess(path: "/srv/out", access: .write, reason: "Results"),
            ])
        #expect(manifest.permissions.keyValue == Permissions.KeyValue(megabytes: 8, reason: "Cache"))
        #expect(
            manifest.permissions.resources
                == Permissions.Resources(
                    memoryMegabytes: 64, processes: 4, openFiles: 32, cpuPercent: 50, temporaryMegabytes: 8,
                    reason: "Small"))
        let tool = try #require(manifest.tools.first)
        #expect(tool.content == "text/plain" && tool.outputSchema == ["type": "object"])
        #expect(tool.annotations?["title"] == "Greeting")
    }

    @Test func everyPrefixOfAManifestIsRefused() {
        let bytes = Array(ManifestSamples.good.utf8)
        for end in 0..<bytes.count {
            #expect(throws: ManifestError.self) { try PluginManifest(parsing: Array(bytes[..<end])) }
        }
    }

    @Test func textThatIsNoManifestIsRefusedWithItsReason() {
        let cases = [
            ("", "plugin.json: the document ends where a value is expected (at byte 0)"),
            ("[]", "plugin.json: must be an object, found array"),
            ("{}", "manifest: is missing"),
            (#"{"name":"a","name":"b"}"#, "plugin.json: the name \"name\" appears twice (at byte 19)"),
        ]
        for (text, reason) in cases {
            #expect { try PluginManifest(parsing: Array(text.utf8)) } throws: { "\($0)" == reason }
        }
        let large = Array(ManifestSamples.good.utf8) + [UInt8](repeating: 0x20, count: 1 << 20)
        #expect { try PluginManifest(parsing: large) } throws: { "\($0)".contains("longer than the limit of 1048576") }
    }

    @Test func mutatedManifestsNeverTrap() {
        var random = SplitMix(state: 7)
        let good = Array(ManifestSamples.good.utf8)
        let alphabet = Array("\"{}[],:./\\-+019aZ%\u{301}".utf8)
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0...random.next() % 3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            _ = try? PluginManifest(parsing: bytes)
        }
    }

    @Test func theFixturePluginsHaveManifests() throws {
        for name in ["echo", "hostile"] {
            let manifest = try PluginManifest(parsing: SpecFiles.bytes("Tests/Fixtures/plugins/\(name)/plugin.json"))
            #expect(manifest.name == name)
        }
        let template = String(
            decoding: try SpecFiles.bytes("Tests/Fixtures/plugins/rogue/plugin.json.in"), as: UTF8.self)
        let text = template.split(separator: "@MODE@", omittingEmptySubsequences: false).joined(separator: "garbage")
        #expect(try PluginManifest(parsing: Array(text.utf8)).arguments == ["garbage"])
    }
}
