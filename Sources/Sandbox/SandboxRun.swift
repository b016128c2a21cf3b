// `nexus sandbox run`: any program in the plugin jail, without a daemon. The terminal's descriptors are inherited, the
// system's programs are visible read-only, and nothing else of the host is.
import CJail
import Glibc

public enum SandboxRun {
    /// For `nexus sandbox run`: the jail could not be built, so the program never ran.
    public static let couldNotBuildStatus: Int32 = 125

    private static let programs = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
    private static let configuration = ["/etc/ld.so.cache", "/etc/alternatives"]
    private static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - binds: more of the host; symbolic links in their sources are resolved here.
    ///   - environment: added to `PATH`, `HOME` and `TERM`.
    ///   - helper: path of nexus-jail.
    /// - Throws: `JailError` when the jail could not be built; the CLI exits with `couldNotBuildStatus` then.
    public static func run(
        profile: String = "compat", binds: [JailMount] = [], environment: [String: String] = [:], command: [String],
        limits: JailLimits = .interactive, helper: String
    ) async throws(JailError) -> JailExit {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: ["/"])
        defer { launcher.close() }
        let policy = try policy(
            profile: profile, binds: binds, environment: environment, command: command, limits: limits)
        let descriptors = JailDescriptors(standardInput: 0, standardOutput: 1, standardError: 2)
        let jail = try await launcher.spawn(policy, descriptors: descriptors)
        return await jail.exited()
    }

    /// The exit status that stands for how a program ended, as shells have it.
    public static func status(of exit: JailExit) -> Int32 {
        switch exit {
        case .exited(let code): code
        case .signalled(let number): 128 + number
        case .lost: 128 + SIGKILL
        }
    }

    static func policy(
        profile: String, binds: [JailMount], environment: [String: String], command: [String], limits: JailLimits
    ) throws(JailError) -> JailPolicy {
        guard let program = command.first else {
            throw JailError(.policy, "no command: nexus sandbox run [--profile P] [--bind SRC:DST[:rw]] -- CMD…")
        }
        var variables = ["PATH": searchPath, "HOME": "/tmp"]
        if let term = getenv("TERM") { variables["TERM"] = String(cString: term) }
        variables.merge(environment) { $1 }
        var mounts: [JailMount] = []
        var links: [JailLink] = []
        for path in programs + configuration {
            if let target = linkTarget(path) {
                links.append(JailLink(path: path, target: target))
            } else if access(path, F_OK) == 0 {
                mounts.append(JailMount(source: path, destination: path))
            }
        }
        for bind in binds {
            guard let source = realpath(bind.source, nil) else {
                throw JailError(
                    .policy, "--bind \(bind.source): \(ErrnoName.describe(errno))", layer: "mount-sources", errno: errno
                )
            }
            defer { free(source) }
            mounts.append(
                JailMount(
                    source: String(cString: source), destination: bind.destination,
                    weakening: bind.writable ? .writableMount : nil))
        }
        return JailPolicy(
            name: program, profile: profile, program: .path(program), arguments: command, environment: variables,
            mounts: mounts, links: links, limits: limits)
    }

    private static func linkTarget(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 4096)
        let length = readlink(path, &target, target.count)
        return length > 0 ? String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

extension JailLimits {
    /// Roomier than a plugin's, for ordinary programs: 4 GiB of address space, 256 processes, 1024 descriptors.
    public static let interactive = JailLimits(
        memoryBytes: 4 << 30, processes: 256, openFiles: 1024, fileBytes: 1 << 30, temporaryBytes: 256 << 20)
}
