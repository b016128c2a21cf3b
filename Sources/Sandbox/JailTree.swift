import CJail

/// The file tree of a jail: what is mounted where, with which attributes.
enum JailTree {
    // mount_setattr(2)
    private static let readOnly: UInt64 = 0x1
    private static let noSetuid: UInt64 = 0x2
    private static let noDevices: UInt64 = 0x4
    private static let noExecution: UInt64 = 0x8
    private static let temporaryInodes: UInt64 = 8192
    static let devices = ["null", "zero", "full", "random", "urandom"]

    /// Host paths in slot order: the policy's mounts, then the devices.
    static func sources(_ policy: JailPolicy) -> [String] {
        policy.mounts.map(\.source) + devices.map { "/dev/\($0)" }
    }

    static func build(_ policy: JailPolicy, _ plan: inout PlanWriter) {
        var made: Set<String> = ["/"]
        // Beneath a mount it can only be mounted afterwards; anything else may get mounts beneath it.
        let isBeneath = { (path: String) in policy.mounts.contains { path.hasPrefix("\($0.destination)/") } }
        let temporary = policy.temporary.sorted { $0.key < $1.key }
        for (path, bytes) in temporary where !isBeneath(path) { mountTemporary(path, bytes, &made, &plan) }
        for (slot, mount) in policy.mounts.enumerated() {
            makeParents(of: mount.destination, &made, &plan)
            let attributes = noSetuid | noDevices | (mount.writable ? noExecution : readOnly)
            plan.append(JAIL_BIND, [UInt64(slot), attributes], text: [mount.destination])
            made.insert(mount.destination)
        }
        for (path, bytes) in temporary where isBeneath(path) { mountTemporary(path, bytes, &made, &plan) }
        if case .script(_, let path) = policy.program {
            makeParents(of: path, &made, &plan)
            plan.append(JAIL_PLACE_SEALED, text: [path])
        }
        for link in policy.links {
            makeParents(of: link.path, &made, &plan)
            plan.append(JAIL_MAKE_LINK, text: [link.target, link.path])
        }
        mountTemporary("/tmp", policy.limits.temporaryBytes, &made, &plan)
        plan.append(JAIL_MAKE_DIRECTORY, [0o755], text: ["/dev"])
        for (index, device) in devices.enumerated() {
            let slot = UInt64(policy.mounts.count + index)
            plan.append(JAIL_BIND, [slot, readOnly | noSetuid | noExecution], text: ["/dev/\(device)"])
        }
        plan.append(JAIL_MAKE_LINK, text: ["/proc/self/fd", "/dev/fd"])
    }

    /// Bounded in bytes and in files, and nothing in it can be executed.
    private static func mountTemporary(
        _ path: String, _ bytes: UInt64, _ made: inout Set<String>, _ plan: inout PlanWriter
    ) {
        makeParents(of: path, &made, &plan)
        if made.insert(path).inserted { plan.append(JAIL_MAKE_DIRECTORY, [0o755], text: [path]) }
        plan.append(
            JAIL_MOUNT_TMPFS, [bytes, temporaryInodes, 0o700, noSetuid | noDevices | noExecution], text: [path])
    }

    private static func makeParents(of path: String, _ made: inout Set<String>, _ plan: inout PlanWriter) {
        var parent = ""
        for part in path.split(separator: "/").dropLast() {
            parent += "/\(part)"
            if made.insert(parent).inserted { plan.append(JAIL_MAKE_DIRECTORY, [0o755], text: [parent]) }
        }
    }
}
