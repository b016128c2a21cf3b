import CJail

/// Refuses policies that no jail can be built from, with the field and the value, before anything is compiled.
enum PolicyCheck {
    static func check(_ policy: JailPolicy) throws(JailError) {
        guard !policy.arguments.isEmpty else { throw refused(policy, "arguments are empty: argv[0] is needed") }
        var texts =
            policy.arguments + policy.environment.keys + policy.environment.values + policy.links.map(\.target)
            + policy.links.map(\.path) + policy.mounts.flatMap { [$0.source, $0.destination] }
            + [policy.workingDirectory] + policy.temporary.keys
        if case .script(let interpreter, let script) = policy.program { texts += [interpreter, script] }
        guard !texts.contains(where: { $0.utf8.contains(0) }) else { throw refused(policy, "a text contains NUL") }
        for key in policy.environment.keys where key.isEmpty || key.contains("=") {
            throw refused(policy, "environment variable \"\(key)\" has no usable name")
        }
        for (count, what) in [(policy.arguments.count, "arguments"), (policy.environment.count, "variables")]
        where count > Int(JAIL_MAX_STRINGS) { throw refused(policy, "\(count) \(what) are too many") }
        try checkPaths(policy)
        try checkLimits(policy)
        try checkProxy(policy)
    }

    private static func checkPaths(_ policy: JailPolicy) throws(JailError) {
        guard policy.mounts.count + JailTree.devices.count <= Int(JAIL_MAX_SOURCES) else {
            throw refused(policy, "\(policy.mounts.count) mounts are too many")
        }
        let mounted = policy.mounts.map(\.destination) + policy.temporary.keys
        for path in mounted {
            guard let link = policy.links.first(where: { path == $0.path || path.hasPrefix("\($0.path)/") }) else {
                continue
            }
            throw refused(policy, "\"\(path)\" leads through the link \(link.path); name what it points to")
        }
        var inside = mounted + policy.links.map(\.path)
        if case .script(let interpreter, let script) = policy.program { inside += [interpreter, script] }
        for path in inside + policy.mounts.map(\.source) + [policy.workingDirectory] where !isPlain(path) {
            throw refused(policy, "\"\(path)\" must be an absolute path without \".\", \"..\" or empty parts")
        }
        for path in inside where isReserved(path) {
            throw refused(policy, "\"\(path)\" cannot be mounted over: the jail has its own")
        }
        guard case .path(let program) = policy.program else { return }
        guard !program.isEmpty, !program.utf8.contains(0), !JailCompiler.programPaths(policy).isEmpty else {
            throw refused(policy, "program \"\(program)\" needs a path, or a PATH in the environment")
        }
    }

    private static func checkLimits(_ policy: JailPolicy) throws(JailError) {
        let limits = policy.limits
        guard limits.openFiles >= 16 else { throw refused(policy, "openFiles is \(limits.openFiles); at least 16") }
        guard limits.processes >= 1 else { throw refused(policy, "processes is 0; at least 1") }
        guard limits.memoryBytes >= 1 << 20 else { throw refused(policy, "memoryBytes is below 1 MiB") }
        if let percent = limits.cpuPercent, !(1...1_000_000).contains(percent) {
            throw refused(policy, "cpuPercent is \(percent); 1 to 1000000")
        }
        guard limits.memoryBytes <= 1 << 50, limits.processes < 1 << 22 else {
            throw refused(policy, "memoryBytes or processes is beyond what any machine has")
        }
        guard limits.temporaryBytes >= 4096, policy.temporary.values.allSatisfy({ $0 >= 4096 }) else {
            throw refused(policy, "temporaryBytes is below one page")
        }
    }

    private static func checkProxy(_ policy: JailPolicy) throws(JailError) {
        // Its sockets would be there without the rest.
        guard !policy.profile.hasSuffix("-proxy") else {
            throw refused(policy, "profile \(policy.profile) is chosen by the proxy's port, not by name")
        }
        guard let port = policy.proxyPort else { return }
        guard policy.profile == "compat" else {
            throw refused(policy, "profile \(policy.profile) has no sockets for a proxy; use compat, or host services")
        }
        guard port >= 1024 else { throw refused(policy, "the proxy's port is \(port); at least 1024") }
    }

    /// The same rule as nexus-jail's.
    static func isPlain(_ path: String) -> Bool {
        guard path.hasPrefix("/") else { return false }
        if path == "/" { return true }
        return path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    private static func isReserved(_ path: String) -> Bool {
        path == "/" || ["/proc", "/dev", "/tmp"].contains { path == $0 || path.hasPrefix("\($0)/") }
    }

    private static func refused(_ policy: JailPolicy, _ problem: String) -> JailError {
        JailError(.policy, "jail policy \"\(policy.name)\": \(problem)")
    }
}
