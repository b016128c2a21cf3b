import AuditLog
import Foundation
import JSONBytes
import PluginABI
import Registry
import Sandbox
import Synchronization
import Testing

@testable import HostCore
@testable import HostSurfaces

/// An admin API over a real core in a temporary home; nexus-jail runs, but these tests start no plugin.
final class AdminHost: Sendable {
    static let administrator: UInt32 = 4_242
    static let stranger: UInt32 = 4_243

    let api: AdminAPI
    let home: Home
    let stops = Mutex(0)
    private let launcher: JailLauncher

    init() async throws {
        var template = Array("/tmp/nexus-admin-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        home = Home(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        launcher = try JailLauncher.start(helper: try Self.helper(), mountRoots: [])
        let database = try Database(path: home.database)
        let audit = try AuditLog(directory: home.audit)
        let tokens = TokenStore(database: database)
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: home.store))
        let secrets = SecretStore(
            database: database, key: try LoadedMasterKey.load(.file, home: home), audit: audit)
        let supervisor = Supervisor(
            catalog: catalog, audit: audit, launcher: launcher, poller: try DescriptorPoller(),
            services: HTTPFetchService(),
            incidents: IncidentRecorder(store: IncidentStore(database: database), audit: audit),
            restarts: try RestartControl(database: database))
        let metrics = HostMetrics()
        let authenticator = Authenticator(tokens: tokens, administrators: [Self.administrator])
        let pipeline = CallPipeline(
            authenticator: authenticator, catalog: catalog, policy: Policy(), secrets: secrets, audit: audit,
            supervisor: supervisor, metrics: metrics)
        let stop = Later()
        api = AdminAPI(
            authenticator: authenticator, catalog: catalog, supervisor: supervisor, pipeline: pipeline,
            secrets: secrets,
            tokens: tokens, audit: audit,
            incidents: IncidentRecorder(store: IncidentStore(database: database), audit: audit), metrics: metrics,
            facts: HostFacts(
                version: "1", home: home.path, processID: 1, userID: 2, launcherID: { 3 }, jailsAsRoot: false,
                boundsProcessorTime: true,
                agentURL: { "http://127.0.0.1:1/mcp" }),
            requests: SecretRequests(secrets: secrets, audit: audit) { "http://127.0.0.1:1" }, shutDown: { stop.call() }
        )
        stop.set { [weak self] in self?.stops.withLock { $0 += 1 } }
    }

    deinit {
        launcher.close()
        try? FileManager.default.removeItem(atPath: home.path)
    }

    private final class Later: Sendable {
        private let body = Mutex<(@Sendable () -> Void)?>(nil)
        func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = body } }
        func call() { body.withLock { $0 }?() }
    }

    private static func helper() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let path = ProcessInfo.processInfo.environment["NEXUS_JAIL"] ?? "\(root)/.build/debug/nexus-jail"
        try #require(access(path, X_OK) == 0, "nexus-jail is not at \(path): build it, or set NEXUS_JAIL")
        return path
    }

    func ask(
        _ method: String, _ path: String, query: [String: String] = [:], body: String = "",
        as peer: UInt32? = administrator,
        bearer: String? = nil
    ) async -> WireResponse {
        await ask(method, path, query: query, bytes: Array(body.utf8), as: peer, bearer: bearer)
    }

    func ask(
        _ method: String, _ path: String, query: [String: String] = [:], bytes: [UInt8],
        as peer: UInt32? = administrator,
        bearer: String? = nil
    ) async -> WireResponse {
        await api.respond(
            to: WireRequest(
                method: method, path: path, query: query, body: SecretBytes(copying: bytes),
                presented: Presented(peerUserID: peer, bearer: bearer)))
    }

    /// A plugin whose tool needs one number and one credential.
    static func bundle(name: String = "sample", version: String = "1.0.0") throws -> PluginBundle {
        try PluginBundle(
            manifestBytes: Array(
                #"""
                {"manifest":1,"name":"\#(name)","version":"\#(version)","kind":"tool","description":"d",
                 "abi":{"min":1,"max":1},
                 "runtime":{"executable":"bin/sample"},
                 "permissions":{"http.fetch":[{"endpoint":"exchange","origin":"https://api.example.com",
                                "methods":["GET"],
                                "paths":["/api/"],"reason":"r"}],
                                "credentials":[{"name":"key","scope":"user","reason":"r"},
                                               {"name":"shared","scope":"global","reason":"r"}]},
                 "tools":[{"name":"\#(name)_echo","description":"d","credentials":["key"],
                   "inputSchema":{"type":"object","properties":{"n":{"type":"integer","maximum":9}},"required":["n"],
                                  "additionalProperties":false}}]}
                """#.utf8), executable: Array("\u{7F}ELF program".utf8))
    }

    func install(_ name: String = "sample") async throws {
        let answer = await ask("POST", "/v1/plugins", bytes: try Self.bundle(name: name).upload)
        try #require(answer.status == 200, "\(answer.text)")
    }

    /// The last entry of the audit log.
    func lastEntry() throws -> JSONValue? { try api.audit.tail(1).first.map { try JSONValue(parsing: $0) } }
}

extension WireResponse {
    var json: JSONValue? { try? JSONValue(parsing: body) }
    var text: String { String(decoding: body, as: UTF8.self) }
    var code: String? { json?["error"]?["code"]?.stringValue }
    var message: String? { json?["error"]?["message"]?.stringValue }
}
