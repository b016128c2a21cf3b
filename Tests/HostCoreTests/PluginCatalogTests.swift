import Crypto
import Foundation
import GRDB
import PluginABI
import Registry
import Testing

@testable import HostCore

@Suite struct PluginCatalogTests {
    @Test func whatThisHostCannotEnforceIsNotInstalled() throws {
        let text = String(decoding: SamplePlugin.manifest(), as: UTF8.self)
        let asked = #""filesystem":[{"path":"/srv","access":"read","reason":"r"}],"http.fetch""#
        for (bytes, words) in [
            (text.replacing(#""http.fetch""#, with: asked), "permissions.filesystem[0]: this host cannot grant"),
            (text.replacing(#""kind":"tool""#, with: #""kind":"connector""#), "kind: this host does not run connector"),
        ] {
            let bundle = try PluginBundle(
                manifestBytes: Array(bytes.utf8), executable: Array("\u{7F}ELF".utf8))
            let catalog = try folder.catalog()
            let error = refusal { () throws(HostError) in try catalog.install(bundle) }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("sample cannot be installed here: \(words)") == true, "\(error as Any)")
            #expect(catalog.list().isEmpty)
        }
    }

    let folder: TestHome
    let catalog: PluginCatalog

    init() throws {
        folder = try TestHome()
        catalog = try folder.catalog()
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder.home.store)/sha256").sorted()
    }
    private func override() throws -> EndpointOverride {
        EndpointOverride(
            origin: try #require(Origin("https://127.0.0.1:8443")), authority: "PEM", weakeningLoopback: true)
    }

    @Test func whatIsInstalledIsListedRunnableAndStillThereAfterARestart() throws {
        let bundle = try SamplePlugin.bundle()
        try catalog.install(bundle)
        try catalog.setEndpoint("exchange", of: "sample", to: override())
        for catalog in [catalog, try folder.catalog()] {
            let plugin = try catalog.plugin("sample")
            #expect(plugin.digest == bundle.executableDigest)
            #expect(try catalog.executable(of: plugin) == bundle.executable)
            #expect(try catalog.tool("sample_echo").plugin == plugin)
            #expect(plugin.endpoints["exchange"] == (try override()))
        }
    }

    @Test func replacingDropsTheOldToolsAndTheOldExecutable() throws {
        try catalog.install(try SamplePlugin.bundle(tools: ["a", "b"], content: "1"))
        try catalog.install(try SamplePlugin.bundle(tools: ["b", "c"], content: "2"))
        #expect(try catalog.plugin("sample").manifest.tools.map(\.name) == ["b", "c"])
        #expect(refusal { () throws(HostError) in try catalog.tool("a") }?.code == .unknownTool)
        #expect(try files() == [try SamplePlugin.bundle(content: "2").executableDigest])
        try catalog.install(try SamplePlugin.bundle(content: "2"))
        #expect(try files().count == 1)
    }

    @Test func toolNameOfAnotherPluginIsRefusedAndNothingChanges() throws {
        try catalog.install(try SamplePlugin.bundle(name: "first", tools: ["shared"]))
        let second = try SamplePlugin.bundle(name: "second", tools: ["own", "shared"], content: "2")
        let error = refusal { () throws(HostError) in try catalog.install(second) }
        #expect(error?.code == .conflict)
        #expect(error?.message == "the tool \"shared\" belongs to the plugin first already; remove that first")
        #expect(catalog.list().map(\.name) == ["first"])
        #expect(try files().count == 1)
    }

    @Test func removalTakesToolsEndpointsSecretsAndTheExecutableAlong() throws {
        let database = try folder.database()
        let secrets = SecretStore(database: database, key: MasterKey(key: SymmetricKey(size: .bits256)))
        for name in ["sample", "other"] {
            try catalog.install(try SamplePlugin.bundle(name: name, tools: ["\(name)_t"], content: name))
            try catalog.setEndpoint("exchange", of: name, to: override())
            for owner in ["alice", "bob"] {
                let address = SecretAddress(scope: .user, owner: owner, plugin: name, name: "key")
                try secrets.set(address, SecretBytes(copying: Array("value".utf8)))
            }
        }
        try secrets.removeAll(of: "sample")
        try catalog.remove("sample")
        #expect(catalog.list().map(\.name) == ["other"])
        for table in ["tool", "endpoint", "secret", "secret_version"] {
            let left = try database.read { try String.fetchAll($0, sql: "SELECT DISTINCT plugin FROM \(table)") }
            #expect(left == ["other"], "\(table)")
        }
        #expect(try files() == [try SamplePlugin.bundle(content: "other").executableDigest])
        #expect(
            refusal { () throws(HostError) in try catalog.remove("sample") }?.message
                == "no plugin is called \"sample\"; see `nexus plugin list`")
    }

    @Test func pluginThatReturnsUnderAnOldNameInheritsNeitherSecretsNorWeakenings() throws {
        let secrets = SecretStore(database: try folder.database(), key: MasterKey(key: SymmetricKey(size: .bits256)))
        let address = SecretAddress(scope: .user, owner: "alice", plugin: "sample", name: "key")
        try catalog.install(try SamplePlugin.bundle())
        try catalog.setEndpoint("exchange", of: "sample", to: override())
        try secrets.set(address, SecretBytes(copying: Array("value".utf8)))
        try secrets.removeAll(of: "sample")
        try catalog.remove("sample")
        try catalog.install(try SamplePlugin.bundle(content: "an impostor"))
        #expect(try secrets.open(address) == nil)
        #expect(try catalog.plugin("sample").endpoints.isEmpty)
    }

    @Test func executablesSharedByTwoPluginsStayUntilTheLastIsRemoved() throws {
        try catalog.install(try SamplePlugin.bundle(name: "one", tools: ["one"]))
        try catalog.install(try SamplePlugin.bundle(name: "two", tools: ["two"]))
        try catalog.remove("one")
        #expect(throws: Never.self) { try catalog.executable(of: catalog.plugin("two")) }
        try catalog.remove("two")
        #expect(try files().isEmpty)
    }

    @Test func executableTamperedOnDiskIsNotRun() throws {
        try catalog.install(try SamplePlugin.bundle())
        let plugin = try catalog.plugin("sample")
        let path = "\(folder.home.store)/sha256/\(plugin.digest)"
        try folder.write("\u{7F}ELFevil", to: path)
        let error = refusal { () throws(HostError) in try catalog.executable(of: plugin) }
        #expect(error?.code == .pluginFailed)
        #expect(error?.message.hasPrefix("\(path) has SHA-256 ") == true)
        #expect(error?.message.hasSuffix(", not that of its name: it was changed; install the plugin again") == true)
        try #require(unlink(path) == 0)
        #expect(refusal { () throws(HostError) in try catalog.executable(of: plugin) }?.code == .pluginFailed)
    }

    @Test func overrideOfAnUndeclaredEndpointIsRefused() throws {
        try catalog.install(try SamplePlugin.bundle())
        let override = try override()
        #expect(
            refusal { () throws(HostError) in try catalog.setEndpoint("nope", of: "sample", to: override) }?.message
                == "sample declares no endpoint \"nope\"; see `nexus plugin info sample`")
        try catalog.setEndpoint("exchange", of: "sample", to: override)
        try catalog.setEndpoint("exchange", of: "sample", to: nil)
        #expect(try catalog.plugin("sample").endpoints.isEmpty)
    }

    @Test func unknownNamesAreRefusedShortly() {
        let bloat = "e" + String(repeating: "\u{301}", count: 200_000)
        #expect((refusal { () throws(HostError) in try catalog.tool(bloat) }?.message.utf8.count ?? .max) < 1_000)
        #expect((refusal { () throws(HostError) in try catalog.plugin(bloat) }?.message.utf8.count ?? .max) < 1_000)
    }

    @Test func storedManifestThatCannotBeReadIsNamed() throws {
        try catalog.install(try SamplePlugin.bundle())
        let database = try folder.database()
        let store = try BundleStore(directory: folder.home.store)
        try database.write { try $0.execute(sql: "UPDATE plugin SET manifest = x'7B7D'") }
        #expect(
            refusal { () throws(HostError) in try PluginCatalog(database: database, store: store) }?.message
                == "the stored manifest of sample cannot be read: manifest: is missing")
    }

    @Test func aVersionIsKeptForWhatIsLeftOfTheProbationWhateverTheClockDid() throws {
        try catalog.install(try SamplePlugin.bundle())
        let staged = try catalog.stage(try SamplePlugin.bundle())
        try catalog.switchTo(staged, keepingMilliseconds: 60_000, now: 1_000_000)
        for (now, left) in [(1_000_000, 60_000), (1_010_000, 50_000), (1_060_000, 0), (9_000_000, 0), (500, 60_000)] {
            let kept = try folder.catalog().kept(now: UInt64(now))
            #expect(kept.map(\.milliseconds) == [UInt64(left)] && kept.first?.plugin.name == "sample", "\(now)")
        }
        try catalog.settle("sample")
        #expect(try catalog.kept().isEmpty)
    }
}
