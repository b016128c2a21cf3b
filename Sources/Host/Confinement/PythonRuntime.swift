internal import Glibc
public import Sandbox

/// What a plugin in Python needs of this machine, and no more: interpreter, standard library, shared libraries, loader.
/// Paths on the host are resolved, because nexus-jail follows no symbolic link.
public struct PythonRuntime: Sendable, Equatable {
    /// Where the interpreter is looked for, and where it is in the jail.
    public static let interpreter = "/usr/bin/python3"

    /// Read-only, for `JailPolicy.mounts`.
    public let mounts: [JailMount]

    /// For `JailLauncher.start`: it takes mount sources from nowhere else.
    public var mountRoots: [String] { mounts.map(\.source) }

    init(mounts: [JailMount]) { self.mounts = mounts }

    #if arch(x86_64)
        private static let libraries = "/usr/lib/x86_64-linux-gnu"
        private static let loader = "/lib64/ld-linux-x86-64.so.2"
    #elseif arch(arm64)
        private static let libraries = "/usr/lib/aarch64-linux-gnu"
        private static let loader = "/lib/ld-linux-aarch64.so.1"
    #endif

    /// What this machine has, as Debian lays it out; nil where a part is missing.
    public static func find() -> PythonRuntime? { find { resolve($0) } }

    /// - Parameter resolve: an absolute path without links, nil for what does not exist (realpath(3)).
    static func find(resolve: (String) -> String?) -> PythonRuntime? {
        // /usr/bin/python3 → /usr/bin/python3.11, whose standard library is /usr/lib/python3.11.
        guard let program = resolve(interpreter), let name = program.split(separator: "/").last,
            name.hasPrefix("python3."), Int(name.dropFirst("python3.".count)) != nil
        else { return nil }
        var mounts: [JailMount] = []
        let parts = [interpreter: program, "/usr/lib/\(name)": nil, libraries: nil, loader: nil]
        for (destination, known) in parts.sorted(by: { $0.key < $1.key }) {
            guard let source = known ?? resolve(destination) else { return nil }
            mounts.append(JailMount(source: source, destination: destination))
        }
        return PythonRuntime(mounts: mounts)
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
