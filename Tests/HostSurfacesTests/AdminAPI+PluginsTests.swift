import AuditLog
import JSONBytes
import PluginABI
import Registry
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIPluginsTests {
    let host: AdminHost
    init() async throws { host = try await AdminHost() }

    @Test func anInstalledPluginIsListedDescribedAndRecorded() async throws {
        try await host.install()
        #expect(try host.lastEntry()?["event"] == "installed")
        let list = await host.ask("GET", "/v1/plugins")
        #expect(list.json?["plugins"]?.arrayValue?.first?["state"] == "stopped")
        let shown = await host.ask("GET", "/v1/plugins/sample")
        #expect(shown.json?["permissions"]?["http.fetch"]?.arrayValue?.first?["override"] == .null)
        let digest = try AdminHost.bundle().executableDigest
        #expect(shown.json?["digest"] == .string("sha256:\(digest)"))
        #expect(await host.ask("DELETE", "/v1/plugins/sample").status == 200)
        #expect(try host.lastEntry()?["event"] == "removed")
        #expect(await host.ask("GET", "/v1/plugins/sample").status == 404)
    }

    @Test func processorTimeCountsAsBoundedWhereTheHostBoundsIt() async throws {
        var manifest = try #require(try JSONValue(parsing: AdminHost.bundle().manifestBytes).objectValue)
        var permissions = manifest["permissions"]?.objectValue ?? JSONObject()
        permissions["resources"] = ["cpuPercent": 50, "reason": "Busy"]
        manifest["permissions"] = .object(permissions)
        let bundle = try PluginBundle(
            manifestBytes: JSONValue.object(manifest).encoded(), executable: Array("\u{7F}ELF".utf8))
        let plugin = InstalledPlugin(manifest: bundle.manifest, digest: "", installed: "", endpoints: [:])
        var host = self.host.api.facts
        #expect(PluginDescription.json(plugin, on: host.offer)["unbounded"] == [])
        host.boundsProcessorTime = false
        #expect(PluginDescription.json(plugin, on: host.offer)["unbounded"]?.arrayValue?.count == 1)
    }

    @Test func logIsReadFromANumberOn() async throws {
        #expect(await host.ask("GET", "/v1/plugins/sample/log").status == 404)
        try await host.install()
        let empty = await host.ask("GET", "/v1/plugins/sample/log", query: ["after": "7"])
        #expect(empty.text == #"{"lines":[],"next":7}"#)
        for after in ["-1", "x", ""] {
            let answer = await host.ask("GET", "/v1/plugins/sample/log", query: ["after": after])
            #expect(answer.code == "invalid-request", "\(after)")
        }
        let stranger = await host.ask("GET", "/v1/plugins/sample/log", as: AdminHost.stranger)
        #expect(stranger.status == 403)
    }

    @Test func uploadsThatAreNoBundleInstallNothing() async throws {
        let upload = try AdminHost.bundle().upload
        let bad: [[UInt8]] = [
            [], [0], [0, 0, 0, 0], [255, 255, 255, 255], Array(upload[..<200]), Array("plain text, no bundle".utf8),
            Array(upload.prefix(while: { $0 != 0x7F })),
        ]
        for bytes in bad {
            let answer = await host.ask("POST", "/v1/plugins", bytes: bytes)
            #expect(answer.status == 400 && answer.code == "invalid-manifest", "\(answer.text)")
        }
        #expect(host.api.catalog.list().isEmpty)
    }

    @Test func pluginThatTakesTheToolOfAnotherIsAConflict() async throws {
        try await host.install()
        var manifest = try #require(try JSONValue(parsing: AdminHost.bundle().manifestBytes).objectValue)
        manifest["name"] = "thief"
        let bytes = JSONValue.object(manifest).encoded()
        let length = withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) }
        let answer = await host.ask("POST", "/v1/plugins", bytes: length + bytes + Array("\u{7F}ELF".utf8))
        #expect(answer.status == 409)
        #expect(answer.message == "the tool \"sample_echo\" belongs to the plugin sample already; remove that first")
    }

    @Test func anUpgradeThatIsNotUnderstoodOrDoesNotWorkChangesNothing() async throws {
        let path = "/v1/plugins/sample/upgrade"
        let upload = try AdminHost.bundle(version: "2.0.0").upload
        #expect(await host.ask("POST", path, bytes: upload).code == "unknown-plugin")
        try await host.install()
        let other = await host.ask("POST", path, bytes: try AdminHost.bundle(name: "other").upload)
        #expect(other.status == 400 && other.message == "this is a bundle of other, not of sample")
        #expect(await host.ask("POST", path, bytes: [0]).code == "invalid-manifest")
        for seconds in ["-1", "3601", "soon", ""] {
            let answer = await host.ask("POST", path, query: ["probationSeconds": seconds], bytes: upload)
            #expect(answer.message == "probationSeconds is a number from 0 to 3600", "\(seconds)")
        }
        #expect(await host.ask("POST", path, bytes: upload, as: AdminHost.stranger).status == 403)
        // It is no program that the kernel knows.
        let broken = await host.ask("POST", path, query: ["probationSeconds": "0"], bytes: upload)
        #expect(broken.status == 502, "\(broken.text)")
        #expect(broken.message?.hasPrefix("sample 2.0.0 was not taken, 1.0.0 stays: ") == true, "\(broken.text)")
        let state = await host.ask("GET", "/v1/plugins/sample").json?["state"]
        #expect(state == "stopped", "what another version did is not its fault: \(state as Any)")
        let events = try host.api.audit.tail(100).compactMap { try JSONValue(parsing: $0)["event"]?.stringValue }
        #expect(!events.contains("upgraded"), "\(events)")
    }

    @Test func startingOnceIsNoWishThatLastsAndARemovedPluginLeavesNone() async throws {
        let restarts = await host.api.supervisor.restarts
        try await host.install()
        #expect(await host.ask("POST", "/v1/plugins/sample/start", query: ["once": "1"]).status == 502)
        #expect(restarts.wanted == [] && restarts.state(of: "sample")?.name == .failed)
        #expect(await host.ask("POST", "/v1/plugins/sample/start").status == 502)
        #expect(restarts.wanted == ["sample"])
        #expect(await host.ask("DELETE", "/v1/plugins/sample").status == 200)
        #expect(restarts.wanted == [] && restarts.state(of: "sample") == nil)
        try await host.install()
        let shown = await host.ask("GET", "/v1/plugins/sample").json
        #expect(shown?["state"] == "stopped" && shown?["failures"] == 0 && shown?["cause"] == .null)
    }

    @Test func anEndpointIsLedElsewhereAndBackAndBothAreOnRecord() async throws {
        try await host.install()
        let path = "/v1/plugins/sample/endpoints/exchange"
        let answer = await host.ask("PUT", path, body: #"{"origin":"https://127.0.0.1:8443","loopback":true}"#)
        #expect(
            answer.json?["permissions"]?["http.fetch"]?.arrayValue?.first?["override"]
                == ["origin": "https://127.0.0.1:8443", "weakeningLoopback": true])
        #expect(try host.lastEntry()?["weakeningLoopback"] == true)
        #expect(await host.ask("DELETE", path).status == 200)
        #expect(try host.api.catalog.plugin("sample").endpoints.isEmpty)
        #expect(try host.lastEntry()?["origin"] == .null)
    }

    /// A mistyped authority must not fall back to trusting every authority of the system.
    @Test(arguments: [
        "", "{}", #"{"origin":1}"#, #"{"origin":"http://a.b"}"#, #"{"origin":"https://a.b/"}"#,
        #"{"origin":"https://A.b"}"#,
        #"{"origin":"https://a.b@c.d"}"#, #"{"origin":"https://a.b","authority":1}"#,
        #"{"origin":"https://a.b","ca":"PEM"}"#,
        #"{"origin":"https://a.b","loopback":"yes"}"#, #"{"origin":"https://a.b","loopback":1}"#,
    ])
    func endpointWishesThatAreNotUnderstoodChangeNothing(body: String) async throws {
        try await host.install()
        let answer = await host.ask("PUT", "/v1/plugins/sample/endpoints/exchange", body: body)
        #expect(answer.status == 400, "\(body): \(answer.text)")
        #expect(try host.api.catalog.plugin("sample").endpoints.isEmpty)
    }

    @Test func undeclaredEndpointsAreRefusedByName() async throws {
        try await host.install()
        let answer = await host.ask("PUT", "/v1/plugins/sample/endpoints/x%2Fy", body: #"{"origin":"https://a.b"}"#)
        #expect(answer.message == "sample declares no endpoint \"x/y\"; see `nexus plugin info sample`")
    }
}
