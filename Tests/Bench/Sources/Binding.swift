internal import AuditLog
internal import Foundation
internal import Glibc
internal import HostCore
internal import JSONBytes
internal import PluginABI
internal import Registry
internal import Sandbox

/// What a credential adds to a call: through the whole pipeline to a plugin in its jail, one call without and one with
/// a user's credential in turn, to the same process.
struct Binding {
    let helper: String
    /// With the tools `echo` and `lent`; the second wants the user credential `key`, and both do the same.
    let bundle: PluginBundle

    /// Nanoseconds of each call.
    func run(_ rounds: Int) async throws -> JSONObject {
        let home = Home(
            FileManager.default.temporaryDirectory.appendingPathComponent("nexus-bench-\(UUID().uuidString)").path)
        try FileManager.default.createDirectory(atPath: home.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        let services = HTTPFetchService()
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let database = try Database(path: home.database)
        let audit = try AuditLog(directory: home.audit)
        let catalog = try PluginCatalog(database: database, store: try BundleStore(directory: home.store))
        try catalog.install(bundle)
        let secrets = SecretStore(
            database: database, key: try LoadedMasterKey.load(.file, home: home), audit: audit)
        let user = Authenticator.userName(geteuid())
        try secrets.set(
            SecretAddress(scope: .user, owner: user, plugin: bundle.manifest.name, name: "key"),
            SecretBytes(copying: (0..<64).map { UInt8(ascii: "A") + $0 % 26 }))
        let supervisor = Supervisor(
            catalog: catalog, audit: audit, launcher: launcher, poller: try DescriptorPoller(),
            services: services,
            incidents: IncidentRecorder(store: IncidentStore(database: database), audit: audit),
            restarts: try RestartControl(database: database))
        let pipeline = CallPipeline(
            authenticator: Authenticator(tokens: TokenStore(database: database), administrators: []),
            catalog: catalog, policy: Policy(), secrets: secrets, audit: audit, supervisor: supervisor)
        var (without, with): ([Int], [Int]) = ([], [])
        for round in -rounds / 10..<rounds {
            let start = nanoseconds()
            try await Self.call("echo", pipeline)
            let middle = nanoseconds()
            try await Self.call("lent", pipeline)
            let end = nanoseconds()
            guard round >= 0 else { continue }
            without.append(middle - start)
            with.append(end - middle)
        }
        await supervisor.shutDown()
        await services.shutDown()
        return JSONObject([("without", list(without)), ("with", list(with))])
    }

    private static func call(_ tool: String, _ pipeline: CallPipeline) async throws {
        let answer = try await pipeline.call(
            ToolRequest(
                tool: tool, arguments: Calls.arguments, presented: Presented(peerUserID: geteuid()), surface: "bench"))
        guard answer.json == Calls.arguments else { throw BenchFailure("the echo differs") }
    }
}
