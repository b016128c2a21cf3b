import CJail

/// The second wall around files (landlock(7)): the same tree, said once more in another mechanism, so that a mistake in
/// one of them is not an escape.
enum LandlockRules {
    private static let execute: UInt64 = 1 << 0
    private static let writeFile: UInt64 = 1 << 1
    private static let readFile: UInt64 = 1 << 2
    private static let readDirectory: UInt64 = 1 << 3
    private static let makeCharacterDevice: UInt64 = 1 << 6
    private static let makeBlockDevice: UInt64 = 1 << 11
    private static let truncate: UInt64 = 1 << 14
    private static let logNewExecution: UInt64 = 1 << 1
    private static let logNoSubdomains: UInt64 = 1 << 2
    private static let connectTCP: UInt64 = 1 << 1

    /// File rights that an ABI knows; all of them are denied unless a rule allows them.
    static func fileRights(abi: Int) -> UInt64 {
        var rights: UInt64 = (1 << 13) - 1
        if abi >= 2 { rights |= 1 << 13 }  // moving between directories
        if abi >= 3 { rights |= truncate }
        if abi >= 5 { rights |= 1 << 15 }  // ioctl on devices
        return rights
    }

    /// Everything that an ABI can deny.
    static func handled(abi: Int) -> (files: UInt64, network: UInt64, scopes: UInt64) {
        let network: UInt64 = abi >= 4 ? 3 : 0  // binding and connecting TCP: no port is allowed
        let scopes: UInt64 = abi >= 6 ? 3 : 0  // abstract sockets and signals of other domains
        return (fileRights(abi: abi), network, scopes)
    }

    static func append(_ policy: JailPolicy, abi: Int, _ plan: inout PlanWriter) {
        guard abi > 0 else { return }
        let (all, network, scopes) = handled(abi: abi)
        plan.layer("landlock", "ABI \(abi), files\(network > 0 ? ", tcp" : "")\(scopes > 0 ? ", scopes" : "")")
        plan.append(JAIL_LANDLOCK, [all, network, scopes])
        let readable = execute | readFile | readDirectory
        let writable = all & ~(execute | makeCharacterDevice | makeBlockDevice | (1 << 15))
        plan.append(JAIL_LANDLOCK_ALLOW, [readDirectory], text: ["/"])
        for mount in policy.mounts {
            plan.append(JAIL_LANDLOCK_ALLOW, [mount.writable ? writable : readable], text: [mount.destination])
        }
        if case .script(_, let path) = policy.program {
            plan.append(JAIL_LANDLOCK_ALLOW, [readFile], text: [path])
        }
        for path in ["/tmp"] + policy.temporary.keys.sorted() {
            plan.append(JAIL_LANDLOCK_ALLOW, [writable], text: [path])
        }
        plan.append(JAIL_LANDLOCK_ALLOW, [(readFile | writeFile | readDirectory | truncate) & all], text: ["/dev"])
        plan.append(JAIL_LANDLOCK_ALLOW, [readFile | readDirectory], text: ["/proc"])
        if let port = policy.proxyPort, network > 0 {
            plan.append(JAIL_LANDLOCK_PORT, [UInt64(port), connectTCP])
        }
        // Refusals are in the kernel's audit log where it keeps one: the plugin's, which come after an exec, and not
        // those of rules that it might make for itself (landlock_restrict_self(2)).
        plan.append(JAIL_LANDLOCK_ENFORCE, [abi >= 7 ? logNewExecution | logNoSubdomains : 0])
    }
}
