// The kit's entry for a plugin: read what the author declared, run the checks one after the other, tell what came of
// them. Whatever was started is ended, also when a check fails.
internal import JSONBytes
internal import PluginABI
internal import Sandbox

/// The conformance kit against one plugin.
public struct ConformanceRun: Sendable {
    public struct Options: Sendable {
        /// Report only requirements that begin with one of these, such as `ABI-6` or `MAN`; empty is all. Every check
        /// runs all the same.
        public var only: [String] = []
        public var limits = KitLimits()
        /// Path of nexus-jail, for a directory.
        public var jailHelper = "nexus-jail"

        public init() {}
    }

    private let plugin: PluginUnderTest
    private let options: Options

    public init(plugin: PluginUnderTest, options: Options = Options()) {
        self.plugin = plugin
        self.options = options
    }

    /// Runs every check, at most a few seconds in all for a plugin that conforms.
    ///
    /// - Parameter progress: called after each check, on a thread of the run's own.
    /// - Throws: `StartFailure` when there is nothing to check: no plugin.json, no such program, no jail.
    public func run(
        progress: @escaping @Sendable (CheckResult) -> Void = { _ in }
    ) async throws(StartFailure) -> ConformanceReport {
        let began = KitClock.monotonic()
        let (plan, starter) = try await prepare()
        let options = options
        let results = await BlockingThread.run {
            CheckRunner(plan: plan, options: options, start: starter.start).run(progress: progress)
        }
        await starter.close()
        return ConformanceReport(
            subject: plan.manifest?.name ?? plugin.name, side: "plugin", results: results,
            milliseconds: KitClock.monotonic() - began, isPartial: !options.only.isEmpty)
    }

    private func prepare() async throws(StartFailure) -> (CallPlan, PluginStarter) {
        let (manifest, json) = try readManifest()
        let file = try plugin.callsPath.flatMap { (path) throws(StartFailure) in try Self.json(path) }
        let plan = try CallPlan(manifest: manifest, json: json, file: file)
        switch plugin {
        case .command(let words, _): return (plan, .command(words))
        case .directory(let path):
            guard let manifest else { throw StartFailure(description: "\(path) has no plugin.json") }
            let program = path + "/" + manifest.executable
            guard let bytes = try FileBytes.read(program, limit: 1 << 30) else {
                throw StartFailure(description: "\(program) does not exist; build the plugin first")
            }
            do {
                let (policy, mountRoots) = try PluginPolicy.policy(for: manifest)
                let launcher = try JailLauncher.start(helper: options.jailHelper, mountRoots: mountRoots)
                return (plan, .jail(launcher, policy, bytes))
            } catch {
                throw StartFailure(description: error.message)
            }
        }
    }

    private func readManifest() throws(StartFailure) -> (PluginManifest?, JSONValue?) {
        guard let path = plugin.manifestPath else { return (nil, nil) }
        guard let bytes = try FileBytes.read(path, limit: 1 << 20) else {
            throw StartFailure(description: "\(path) does not exist: name a plugin's directory, or its plugin.json")
        }
        do {
            return (try PluginManifest(parsing: bytes), try? JSONValue(parsing: bytes))
        } catch {
            throw StartFailure(description: "\(path): \(error)")
        }
    }

    private static func json(_ path: String) throws(StartFailure) -> JSONValue? {
        guard let bytes = try FileBytes.read(path, limit: 4 << 20) else { return nil }
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw StartFailure(description: "\(path): \(error)")
        }
    }
}

/// How processes of the plugin are started.
enum PluginStarter: Sendable {
    case command([String])
    case jail(JailLauncher, JailPolicy, [UInt8])

    func start() throws(StartFailure) -> StartedProgram {
        switch self {
        case .command(let words): return try SpawnedProgram.start(words)
        case .jail(let launcher, let policy, let executable):
            let result = BlockingThread.wait { () async -> Result<StartedProgram, StartFailure> in
                do throws(StartFailure) {
                    return .success(try await JailedProgram.start(policy, executable: executable, in: launcher))
                } catch {
                    return .failure(error)
                }
            }
            guard let result else { throw StartFailure(description: "the jail was not built") }
            return try result.get()
        }
    }

    /// Ends nexus-jail, and with it every jail.
    func close() async {
        guard case .jail(let launcher, _, _) = self else { return }
        launcher.close()
        _ = await launcher.exited()
    }
}
