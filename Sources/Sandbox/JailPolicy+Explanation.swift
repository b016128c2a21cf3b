extension JailPolicy {
    /// The jail that this policy describes, section by section, as it is on a machine that has every layer.
    ///
    /// - Throws: `JailError.Code.policy` for a profile that does not exist.
    public func explanation() throws(JailError) -> Explanation {
        let profile = try SyscallProfile.named(self.profile)
        return Explanation(sections: [
            .init("program", explainedProgram), .init("identity", Self.identity), .init("namespaces", Self.namespaces),
            .init("files", files), .init("descriptors", Self.descriptors),
            .init("environment", environment.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }),
            .init("limits", explainedLimits), .init("rights", rights),
            .init("system calls", profile.allowed.map(Self.entry)),
            .init("refused and reported", Self.refused(profile)),
        ])
    }

    private var explainedProgram: [Explanation.Entry] {
        let what =
            switch program {
            case .sealed: "the executable of the bundle, from sealed memory"
            case .path(let path): path
            case .script(let interpreter, let script): "\(interpreter), with the bundle's file at \(script)"
            }
        return [
            .init("executes", what), .init("arguments", arguments.joined(separator: " ")),
            .init("directory", workingDirectory), .init("profile", profile),
        ]
    }

    private static let identity: [Explanation.Entry] = [
        .init("user inside", "\(JailCompiler.innerID), with no groups of its own"),
        .init("user outside", "one of its own, from 2000000000 on, where root starts the host; else the host's"),
    ]

    private static let namespaces: [Explanation.Entry] = [
        .init("user", "one user; no further user namespaces"),
        .init("mount", "a tree of its own; the host's is detached"),
        .init("pid", "sees its own processes only, and they end with it"),
        .init("network", "no interface"),
        .init("ipc", "no queues or shared memory of others"),
        .init("uts", "the host name is jail"),
        .init("cgroup", "its own group looks like the root"),
    ]

    private var files: [Explanation.Entry] {
        var entries = [Explanation.Entry("/", "empty, read-only")]
        for mount in mounts {
            let rights = mount.writable ? "WRITABLE, nothing in it is executed" : "read-only"
            entries.append(.init(mount.destination, "\(mount.source) of the host, \(rights)"))
        }
        if case .script(_, let path) = program { entries.append(.init(path, "the bundle's file, read-only")) }
        for link in links { entries.append(.init(link.path, "a link to \(link.target)")) }
        for (path, bytes) in ([("/tmp", limits.temporaryBytes)] + temporary.sorted { $0.key < $1.key }) {
            entries.append(.init(path, "private, writable, \(Self.mebibytes(bytes)), nothing in it is executed"))
        }
        for device in JailTree.devices { entries.append(.init("/dev/\(device)", "the device")) }
        return entries + [.init("/proc", "its own processes only, read-only")]
    }

    private static let descriptors: [Explanation.Entry] = [
        .init("0", "/dev/null"), .init("1", "read by the host into the plugin's log"),
        .init("2", "read by the host into the plugin's log"), .init("3", "the channel to the host"),
    ]

    private var explainedLimits: [Explanation.Entry] {
        var entries: [Explanation.Entry] = [
            .init("memory", Self.mebibytes(limits.memoryBytes)),
            .init("processes and threads", "\(limits.processes)"), .init("open files", "\(limits.openFiles)"),
            .init("largest file", Self.mebibytes(limits.fileBytes)),
        ]
        if let percent = limits.cpuPercent { entries.append(.init("processor", "\(percent) % of one")) }
        return entries + [
            .init("locked memory", "0"), .init("core files", "0"), .init("message queues", "0"),
            .init("realtime priority", "0"),
        ]
    }

    private var rights: [Explanation.Entry] {
        var entries: [Explanation.Entry] = [
            .init("capabilities", "none, and none to be had"), .init("new privileges", "refused for good"),
            .init("Landlock", "the same tree once more; no TCP port, no signal and no abstract socket outside"),
            .init("speculation", "store bypass and indirect branches are switched off"),
            .init("terminal", "none"), .init("keyring", "not the host's session"),
        ]
        if SyscallProfile.refusesNewCode(profile) {
            entries.append(.init("new machine code", "memory that was written is never executed"))
        }
        return entries
    }

    private static func entry(_ rule: SyscallRule) -> Explanation.Entry {
        guard let condition = rule.condition else { return .init(rule.name, rule.reason) }
        let values = condition.values.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
        let mask = condition.mask == .max ? "" : " under mask 0x\(String(condition.mask, radix: 16))"
        let also = condition.also.isEmpty ? "" : ", and another"
        return .init("\(rule.name)(argument \(condition.argument + 1)\(mask): \(values)\(also))", rule.reason)
    }

    private static func refused(_ profile: SyscallProfile) -> [Explanation.Entry] {
        profile.denied.map { .init($0.name, $0.reason) }
            + [.init("every other call", "answered as by a kernel that does not have it")]
    }

    private static func mebibytes(_ bytes: UInt64) -> String {
        bytes % (1 << 20) == 0 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
    }
}
