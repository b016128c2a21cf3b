import AuditLog
import Foundation
import JSONBytes
import PluginABI
import Registry
import Sandbox
import Testing

@testable import HostCore

/// A whole core in a temporary home, with a real nexus-jail and the fixture plugin `echo`, without a surface.
final class JailedHost: Sendable {
    let folder: TestHome
    let catalog: PluginCatalog
    let supervisor: Supervisor
    let pipeline: CallPipeline
    let audit: AuditLog
    private let launcher: JailLauncher

    let incidents: IncidentStore

    init(budget: HostBudget = .standard, limits: RestartPolicy.Limits = .standard) throws {
        folder = try TestHome()
        let home = folder.home
        let database = try folder.database()
        audit = try AuditLog(directory: home.audit)
        catalog = try PluginCatalog(database: database, store: BundleStore(directory: home.store))
        incidents = IncidentStore(database: database)
        launcher = try JailLauncher.start(helper: try Self.built("debug/nexus-jail"), mountRoots: [])
        supervisor = Supervisor(
            catalog: catalog, audit: audit, launcher: launcher, poller: try DescriptorPoller(),
            services: HTTPFetchService(), incidents: IncidentRecorder(store: incidents, audit: audit),
            restarts: try RestartControl(database: database, limits: limits),
            configuration: HostConfiguration(budget: budget))
        pipeline = CallPipeline(
            authenticator: Authenticator(tokens: TokenStore(database: database), administrators: [0]),
            catalog: catalog, policy: Policy(),
            secrets: SecretStore(database: database, key: try MasterKey.load(home).key), audit: audit,
            supervisor: supervisor)
    }

    deinit { launcher.close() }

    /// A program that is missing is a failure, never a skip.
    private static func built(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let path = "\(root)/.build/\(name)"
        try #require(access(path, R_OK) == 0, "\(path) is missing; run the tests with `make test`")
        return path
    }

    /// `echo` under another name and with other words in its manifest. `note` goes behind the program: another version.
    static func bundle(
        _ name: String = "echo", version: String = "1.0.0", isolation: String = "shared", concurrency: Int = 1,
        tools: [String] = ["echo", "sleep", "crash", "environment"], note: String = "",
        program: String = "fixture-plugins/echo/bin/echo", arguments: [String] = []
    ) throws -> PluginBundle {
        let list = tools.map { #"{"name":"\#($0)","description":"d","inputSchema":{"type":"object"}}"# }
        let words = arguments.map { "\"\($0)\"" }.joined(separator: ",")
        let manifest = #"""
            {"manifest":1,"name":"\#(name)","version":"\#(version)","kind":"tool","description":"d",
             "abi":{"min":1,"max":1},"runtime":{"executable":"bin/echo","arguments":[\#(words)]},
             "isolation":"\#(isolation)",
             "concurrency":\#(concurrency),"tools":[\#(list.joined(separator: ","))]}
            """#
        var executable = Array(try Data(contentsOf: URL(fileURLWithPath: try built(program))))
        executable += Array(note.utf8)
        return try PluginBundle(manifestBytes: Array(manifest.utf8), executable: executable)
    }

    @discardableResult
    func install(_ bundle: PluginBundle) throws -> InstalledPlugin {
        try catalog.install(bundle)
        return try catalog.plugin(bundle.manifest.name)
    }

    /// A call as a local user makes it, through the whole pipeline.
    func call(
        _ tool: String, _ arguments: String = "{}", as user: UInt32 = 0, milliseconds: UInt64? = nil
    ) async -> Result<String, HostError> {
        do throws(HostError) {
            let result = try await pipeline.call(
                ToolRequest(
                    tool: tool, arguments: Array(arguments.utf8), presented: Presented(peerUserID: user),
                    surface: "api", milliseconds: milliseconds))
            return .success(String(decoding: result.json, as: UTF8.self))
        } catch {
            return .failure(error)
        }
    }

    /// Members of the audit log's entries of one kind.
    func entries(_ kind: String) throws -> [JSONValue] {
        try audit.tail(10_000).map { try JSONValue(parsing: $0) }.filter { $0["kind"]?.stringValue == kind }
    }

    /// Waits until the ledger is as wanted; what it was last if it never is.
    func ledger(until isWanted: ([InstanceEntry]) -> Bool) async -> [InstanceEntry] {
        var entries = await supervisor.ledger()
        for _ in 0..<2_000 where !isWanted(entries) {
            try? await Task.sleep(for: .milliseconds(5))
            entries = await supervisor.ledger()
        }
        return entries
    }
}

extension Result {
    /// Nil where it is a success.
    var failure: Failure? {
        guard case .failure(let error) = self else { return nil }
        return error
    }
}
