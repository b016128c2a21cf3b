// `nexus sandbox run`: any program in the plugin jail, without a daemon. The terminal's descriptors are inherited, the
// system's programs are visible read-only, and nothing else of the host is.
import CJail
import Glibc

public enum SandboxRun {
    /// For `nexus sandbox run`: the jail could not be built, so the program never ran.
    public static let couldNotBuildStatus: Int32 = 125
    /// As timeout(1) has it.
    public static let timedOutStatus: Int32 = 124
    /// As shells have them: a program that is not there, and one that cannot be executed.
    static let notFoundStatus: Int32 = 127
    static let notExecutableStatus: Int32 = 126
    /// What a program has between SIGTERM and its end, once its time is over or its caller wants to stop.
    static let graceSeconds = 1.0

    private static let programs = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
    private static let configuration = ["/etc/ld.so.cache", "/etc/alternatives"]
    /// Whom programs trust that speak TLS through the proxy.
    private static let certificates = "/etc/ssl/certs"
    private static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// How a run ended.
    public enum Outcome: Sendable, Equatable {
        case ended(JailEnd)
        case timedOut

        /// The exit status that stands for it, as shells and timeout(1) have it.
        public var status: Int32 {
            switch self {
            case .timedOut: timedOutStatus
            case .ended(let end):
                switch end.exit {
                case .exited(let code): code
                case .signalled(let number): 128 + number
                case .lost: 128 + SIGKILL
                }
            }
        }

        /// What a status cannot say: the limit that the program met, if it met one.
        public var limit: String? {
            guard case .ended(let end) = self, end.cause != nil else { return nil }
            return end.description
        }
    }

    /// The exit status for a program that never ran.
    public static func status(of error: JailError) -> Int32 {
        switch (error.layer, error.errno) {
        case ("exec", ENOENT): notFoundStatus
        case ("exec", EACCES), ("exec", ENOEXEC), ("exec", EISDIR): notExecutableStatus
        default: couldNotBuildStatus
        }
    }

    /// Runs a program to its end, or to the end of its time. Cancelling the task ends it likewise: SIGTERM first.
    ///
    /// - Parameters:
    ///   - say: is told, in a line each, of bounds that were asked for and hold in part only, and with
    ///     `options.explains` of each call and path that the program was refused.
    ///   - egress: what accepts on the jail's proxy socket, for `options.network`; nil for no network at all.
    ///   - helper: path of nexus-jail.
    ///   - cgroups: where jails may be bounded as a whole.
    /// - Throws: `JailError` when the program was never executed; `status(of:)` says what to exit with.
    public static func run(
        _ options: Options, command: [String], egress: SandboxEgress? = nil, helper: String,
        cgroups: CgroupPlacement = .ofThisMachine(), say: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(JailError) -> Outcome {
        try options.check()
        guard options.network.isEmpty || egress != nil else {
            throw JailError(.policy, "--allow-net \(options.network[0]): nothing here serves a proxy", layer: "network")
        }
        var denied: (@Sendable (JailDenial) -> Void)?
        if options.explains { denied = { say($0.text) } }
        return try await run(
            try policy(options, command: command, egress: egress), recorder: nil, egress: egress,
            seconds: options.seconds, helper: helper, cgroups: cgroups, denied: denied
        ) { report in
            for line in shortfalls(options, report) { say(line) }
        }
    }

    /// Bounds that were asked for, and hold for each process but not for all together.
    static func shortfalls(_ options: Options, _ report: JailReport) -> [String] {
        options.wishes.sorted { $0.key < $1.key }.compactMap { option, layer in
            guard let state = report[layer], state.state != .applied else { return nil }
            return "\(option) holds in part: \(state.detail)"
        }
    }

    static func run(
        _ policy: JailPolicy, recorder: CallRecorder?, egress: SandboxEgress? = nil, seconds: Double?, helper: String,
        cgroups: CgroupPlacement, denied: (@Sendable (JailDenial) -> Void)? = nil,
        started: (JailReport) -> Void = { _ in }
    ) async throws(JailError) -> Outcome {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: ["/"], cgroups: cgroups)
        let result: Result<Outcome, JailError>
        do throws(JailError) {
            let jail = try await spawn(policy, recorder: recorder, egress: egress, denied: denied, in: launcher)
            started(jail.report)
            result = .success(
                await withTaskCancellationHandler {
                    await outcome(of: jail, seconds: seconds)
                } onCancel: {
                    Task { await end(jail) }
                })
        } catch {
            result = .failure(error)
        }
        // It clears away its cgroups before it ends, and dies with us if we do not wait.
        launcher.close()
        _ = await launcher.exited()
        return try result.get()
    }

    private static func spawn(
        _ policy: JailPolicy, recorder: CallRecorder?, egress: SandboxEgress?,
        denied: (@Sendable (JailDenial) -> Void)?, in launcher: JailLauncher
    ) async throws(JailError) -> Jail {
        let descriptors = JailDescriptors(standardInput: 0, standardOutput: 1, standardError: 2)
        let jail = try await launcher.spawn(policy, descriptors: descriptors, recorder: recorder, denied: denied)
        try await egress?.begin(for: jail)
        return jail
    }

    private static func outcome(of jail: Jail, seconds: Double?) async -> Outcome {
        guard let seconds else { return .ended(await jail.ended()) }
        let limit = Task {
            do { try await Task.sleep(for: .seconds(seconds)) } catch { return false }
            await Self.end(jail)
            return true
        }
        let end = await jail.ended()
        limit.cancel()
        return await limit.value ? .timedOut : .ended(end)
    }

    /// SIGTERM to the program, and a while later the end of everything.
    private static func end(_ jail: Jail) async {
        jail.terminate()
        try? await Task.sleep(for: .seconds(graceSeconds))
        jail.kill()
    }

    static func policy(
        _ options: Options, command: [String], egress: SandboxEgress? = nil
    ) throws(JailError) -> JailPolicy {
        guard let program = command.first else {
            throw JailError(.policy, "no command: nexus sandbox run [OPTIONS] -- CMD…", layer: "arguments")
        }
        var variables = ["PATH": searchPath, "HOME": "/tmp"]
        if let term = getenv("TERM") { variables["TERM"] = String(cString: term) }
        variables.merge(egress?.environment ?? [:]) { $1 }
        variables.merge(options.environment) { $1 }
        var mounts: [JailMount] = []
        var links: [JailLink] = []
        let wished = options.binds.map(\.destination) + options.temporary
        for path in programs + configuration + (egress == nil ? [] : [certificates])
        where !wished.contains(where: path.isAtOrBelow) {
            if let target = linkTarget(path) {
                links.append(JailLink(path: path, target: target))
            } else if access(path, F_OK) == 0 {
                mounts.append(JailMount(source: path, destination: path))
            }
        }
        // A jail has a /tmp of its own anyway.
        let temporary = options.temporary.filter { $0 != "/tmp" }
        var policy = JailPolicy(
            name: program, profile: options.profile, program: .path(program), arguments: command,
            environment: variables, mounts: mounts + (try options.resolvedBinds()), links: links,
            workingDirectory: options.workingDirectory, limits: options.limits)
        policy.temporary = Dictionary(temporary.map { ($0, options.limits.temporaryBytes) }) { first, _ in first }
        if options.explains {
            policy.showPaths(advice: "--ro-bind SRC:DST or --bind SRC:DST shows it", weakening: .shownPaths)
        }
        if egress != nil { policy.open(port: SandboxEgress.port, weakening: .proxySocket) }
        return policy
    }

    private static func linkTarget(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 4096)
        let length = readlink(path, &target, target.count)
        return length > 0 ? String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

/// A jail's way out: whoever serves its proxy socket, `EgressProxy` say.
public struct SandboxEgress: Sendable {
    /// Of 127.0.0.1 in the jail.
    public static let port: UInt16 = 3128
    private let serve: @Sendable (Int32) async throws -> Void

    /// - Parameter serve: takes over a listening socket and returns when connections are being accepted on it.
    public init(serve: @escaping @Sendable (Int32) async throws -> Void) { self.serve = serve }

    /// What most programs look for; one that ignores it reaches nothing.
    var environment: [String: String] {
        let url = "http://127.0.0.1:\(Self.port)"
        let names = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, url) })
    }

    func begin(for jail: Jail) async throws(JailError) {
        do {
            guard let socket = jail.takeProxySocket() else {
                throw JailError(.layer, "the jail handed over no socket; rebuild nexus-jail", layer: "proxy")
            }
            try await serve(socket)
        } catch {
            jail.kill()
            throw (error as? JailError) ?? JailError(.layer, "the proxy was not started: \(error)", layer: "proxy")
        }
    }
}

extension JailLimits {
    /// Roomier than a plugin's, for ordinary programs: 4 GiB of address space, 256 processes, 1024 descriptors.
    public static let interactive = JailLimits(
        memoryBytes: 4 << 30, processes: 256, openFiles: 1024, fileBytes: 1 << 30, temporaryBytes: 256 << 20)
}
