// Policy in, plan out; no I/O and no kernel but what `KernelSupport` says of it. The order of the layers is the
// design: each takes away something that the ones before it needed.
import CJail
import Glibc

public enum JailCompiler {
    /// User and group in the jail. Not 0: nothing in a jail should think that it is root.
    static let innerID: UInt32 = 1000
    private static let rootBytes: UInt64 = 1 << 20
    /// More of it where a script is placed in the root: as much as a plugin's executable may have.
    private static let scriptBytes: UInt64 = 32 << 20
    /// What a thread's stack is where nobody asks; without a bound the kernel lays out memory in a guessable way.
    private static let stackBytes: UInt64 = 8 << 20
    private static let rootInodes: UInt64 = 1024

    /// - Throws: `JailError.Code.policy`, naming the part of the policy that cannot be met.
    public static func compile(
        _ policy: JailPolicy, host: JailHost, kernel: KernelSupport
    ) throws(JailError) -> JailPlan {
        try PolicyCheck.check(policy)
        guard kernel.landlockABI > 0 || policy.profile == "compat" else {
            throw JailError(
                .layer,
                "the kernel has no Landlock, which profile \(policy.profile) requires: use Linux 5.13 or later "
                    + "with landlock in lsm=", layer: "landlock", errno: ENOSYS)
        }
        let filter = try FilterCompiler.filter(
            profile: policy.filterProfile, mode: try filterMode(policy, kernel))
        let initFilter = try FilterCompiler.filter(profile: "init", mode: .silent)
        var plan = PlanWriter()
        CgroupLimits.append(policy.limits, host.bounds, &plan)
        namespaces(policy, &plan)
        identity(host, &plan)
        network(policy, &plan)
        files(policy, &plan)
        limits(policy, host, &plan)
        rights(policy, kernel, &plan)
        plan.layer("init", "process 1: not dumpable, no environment, a filter of its own")
        plan.append(JAIL_HIDE_INIT)
        plan.append(JAIL_FORK, filter: initFilter)
        program(policy, filter, &plan)
        return try plan.finish(host: host)
    }

    private static func filterMode(
        _ policy: JailPolicy, _ kernel: KernelSupport
    ) throws(JailError) -> FilterCompiler.Mode {
        guard policy.recordsCalls else {
            return kernel.reportsDenials ? (policy.shownPathAdvice == nil ? .reported : .shown) : .silent
        }
        guard kernel.reportsDenials else {
            throw JailError(
                .layer,
                "the kernel has no seccomp listeners, which recording requires: use Linux 5.0 or later",
                layer: "denials", errno: ENOSYS)
        }
        return .recorded
    }

    private static func namespaces(_ policy: JailPolicy, _ plan: inout PlanWriter) {
        plan.layer("namespaces", "user mount pid network ipc uts cgroup")
        plan.append(JAIL_CGROUP_NAMESPACE)
        plan.append(JAIL_SET_HOSTNAME, text: ["jail"])
        // Sources are opened before the ids change: afterwards a directory of mode 0700 above them would be closed.
        plan.layer("mount-sources", "\(policy.mounts.count) from the policy, opened without following links")
        plan.append(JAIL_PRIVATE_MOUNTS)
        for (slot, source) in JailTree.sources(policy).enumerated() {
            plan.append(JAIL_OPEN_SOURCE, [UInt64(slot)], text: [source])
        }
    }

    private static func identity(_ host: JailHost, _ plan: inout PlanWriter) {
        plan.layer("no-memfd-programs", "vm.memfd_noexec = 2")
        plan.append(JAIL_NO_MEMFD_PROGRAMS, optional: true)
        let groups = host.privileged ? "no groups" : "the launcher's groups"
        let user = host.privileged ? "a user of its own" : "the launcher's user"
        plan.layer("identity", "\(innerID) inside, \(user) outside, \(groups)")
        plan.append(JAIL_SET_IDS, [host.privileged ? 1 : 0])
        plan.append(JAIL_DIE_WITH_LAUNCHER)
        plan.layer("no-user-namespaces", "user.max_user_namespaces = 0")
        plan.append(JAIL_NO_USER_NAMESPACES)
    }

    /// Needs the capabilities that a later layer drops. Nothing runs in the jail yet that could take the port.
    private static func network(_ policy: JailPolicy, _ plan: inout PlanWriter) {
        guard let port = policy.proxyPort else { return }
        plan.layer("proxy", "127.0.0.1:\(port) in the jail, accepted by the host")
        plan.append(JAIL_LISTENER, [UInt64(port)])
    }

    private static func files(_ policy: JailPolicy, _ plan: inout PlanWriter) {
        plan.layer("files", "tmpfs root, \(policy.mounts.count) mounts, private /tmp, five devices")
        var bytes = rootBytes
        if case .script = policy.program { bytes += scriptBytes }
        plan.append(JAIL_ROOT_TMPFS, [bytes, rootInodes])
        JailTree.build(policy, &plan)
        plan.layer("proc", "own processes only")
        plan.append(JAIL_MAKE_DIRECTORY, [0o555], text: ["/proc"])
        plan.append(JAIL_MOUNT_PROC, text: ["/proc"])
        plan.layer("pivot-root", "old root detached, new root read-only")
        plan.append(JAIL_PIVOT)
        plan.append(JAIL_READ_ONLY_ROOT)
    }

    private static func limits(_ policy: JailPolicy, _ host: JailHost, _ plan: inout PlanWriter) {
        // A keyring a jail would meet an ordinary user's quota near 200 jails: there the launcher's fresh one is
        // shared.
        plan.layer("keyring", host.privileged ? "a fresh one" : "the launcher's fresh one")
        if host.privileged { plan.append(JAIL_FRESH_KEYRING) }
        let limits = policy.limits
        // Memory that is bounded for real needs no bound on addresses, which runtimes reserve freely.
        let addresses = host.bounds.bounds(.memory) ? UInt64.max : limits.memoryBytes
        // Above the cgroup's, which counts refusals and so gives the cause; for each user and its namespace.
        let processes = UInt64(limits.processes) + (host.bounds.bounds(.pids) ? 16 : 1)  // init counts as well
        plan.layer(
            "limits",
            (addresses == .max ? "" : "\(addresses >> 20) MiB address space, ") + "\(limits.processes) processes, "
                + "\(limits.fileBytes >> 20) MiB a file")
        let pairs: [(cjail_limit, UInt64)] = [
            (CJAIL_LIMIT_CORE, 0), (CJAIL_LIMIT_FILE_BYTES, limits.fileBytes), (CJAIL_LIMIT_ADDRESS_SPACE, addresses),
            (CJAIL_LIMIT_LOCKED, 0), (CJAIL_LIMIT_QUEUES, 0), (CJAIL_LIMIT_REALTIME, 0), (CJAIL_LIMIT_NICE, 0),
            (CJAIL_LIMIT_SIGNALS, 1024), (CJAIL_LIMIT_STACK, stackBytes),
            (CJAIL_LIMIT_PROCESSES, processes),
        ]
        for (resource, value) in pairs { plan.append(JAIL_LIMIT, [UInt64(resource.rawValue), value]) }
    }

    private static func rights(_ policy: JailPolicy, _ kernel: KernelSupport, _ plan: inout PlanWriter) {
        plan.layer("no-new-privileges")
        plan.append(JAIL_NO_NEW_PRIVILEGES)
        plan.layer("capabilities", "none; bounding and ambient sets empty; securebits locked")
        plan.append(JAIL_DROP_CAPABILITIES)
        plan.layer("speculation", "store bypass and indirect branches")
        for kind: UInt64 in [0, 1] { plan.append(JAIL_SPECULATION, [kind], optional: true) }
        if SyscallProfile.refusesNewCode(policy.profile) {
            plan.layer("no-new-code", "memory that was written is never executed")
            plan.append(JAIL_NO_NEW_CODE, optional: true)  // Linux 6.3
        }
        // After the last mount: Landlock forbids changing mounts.
        LandlockRules.append(policy, abi: kernel.landlockABI, &plan)
    }

    private static func program(_ policy: JailPolicy, _ filter: CompiledFilter, _ plan: inout PlanWriter) {
        plan.layer("core-scheduling", "shares no core at the same time")
        plan.append(JAIL_SCHEDULE_APART, optional: true)
        plan.layer("session", "own session, default signals")
        plan.append(JAIL_NEW_SESSION)
        plan.append(JAIL_RESET_SIGNALS)
        plan.append(JAIL_WORKING_DIRECTORY, text: [policy.workingDirectory])
        plan.layer("descriptors", "0, 1, 2 and the channel on 3")
        plan.append(JAIL_DESCRIPTORS)
        // Not before: up to here the launcher's descriptors are open as well, and a plugin may have fewer.
        plan.append(JAIL_LIMIT, [UInt64(CJAIL_LIMIT_FILES.rawValue), UInt64(policy.limits.openFiles)])
        plan.layer("verify", "ids, capabilities, root, descriptors, user namespaces asked of the kernel")
        plan.append(JAIL_VERIFY)
        plan.layer(
            "seccomp", "profile \(policy.filterProfile), \(filter.bytes.count / 8) instructions, confirmed in force")
        plan.append(JAIL_FILTER, filter: filter)
        let candidates = programPaths(policy)
        plan.layer("exec", candidates.first ?? "sealed memory file")
        let variables = policy.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        plan.append(
            JAIL_EXECUTE,
            [candidates.count, policy.arguments.count, variables.count, filter.guardsExec ? 1 : 0].map { UInt64($0) },
            text: candidates + policy.arguments + variables,
            note: (candidates.isEmpty ? ["sealed"] : candidates).joined(separator: ":"))
    }

    /// Paths to try in turn; none for a sealed program.
    static func programPaths(_ policy: JailPolicy) -> [String] {
        switch policy.program {
        case .sealed: return []
        case .script(let interpreter, _): return [interpreter]
        case .path(let path) where path.contains("/"): return [path]
        case .path(let name):
            return (policy.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
        }
    }
}
