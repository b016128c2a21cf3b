import CJail

/// Limits on a jail as a whole, as the files of cgroups(7) have them. First of all layers: the namespace of cgroups has
/// its root where the process is when it is made.
enum CgroupLimits {
    static func append(_ limits: JailLimits, _ bounds: CgroupBounds, _ plan: inout PlanWriter) {
        guard bounds.hasDirectories else { return }
        plan.layer("cgroup", "entered, with its limits set")
        if let version = bounds.versions[.memory] { memory(limits.memoryBytes, version, &plan) }
        if let version = bounds.versions[.pids] {
            // Init counts as well.
            write("pids.max", "\(UInt64(limits.processes) + 1)", tree(.pids, version), &plan)
        }
        if let version = bounds.versions[.cpu], let percent = limits.cpuPercent {
            // Microseconds in each period of 100 ms.
            let quota = "\(UInt64(percent) * 1000)"
            switch version {
            case .v1: write("cpu.cfs_quota_us", quota, tree(.cpu, version), &plan)
            case .v2: write("cpu.max", "\(quota) 100000", tree(.cpu, version), &plan)
            }
        }
        plan.append(JAIL_CGROUP)
    }

    private static func memory(_ bytes: UInt64, _ version: CgroupVersion, _ plan: inout PlanWriter) {
        let tree = tree(.memory, version)
        switch version {
        case .v1:
            write("memory.limit_in_bytes", "\(bytes)", tree, &plan)
            // Memory and swap together, so it may never be below the first. Kernels without it (swapaccount=0) are
            // told not to swap.
            write("memory.memsw.limit_in_bytes", "\(bytes)", tree, &plan, optional: true)
            write("memory.swappiness", "0", tree, &plan, optional: true)
        case .v2:
            write("memory.max", "\(bytes)", tree, &plan)
            write("memory.swap.max", "0", tree, &plan, optional: true)
            // The whole jail dies, and no part of it goes on in an unknown state.
            write("memory.oom.group", "1", tree, &plan, optional: true)
        }
    }

    private static func tree(_ resource: CgroupResource, _ version: CgroupVersion) -> cgroup_tree {
        switch (version, resource) {
        case (.v2, _): CGROUP_V2
        case (.v1, .memory): CGROUP_MEMORY
        case (.v1, .pids): CGROUP_PIDS
        case (.v1, .cpu): CGROUP_CPU
        }
    }

    private static func write(
        _ file: String, _ value: String, _ tree: cgroup_tree, _ plan: inout PlanWriter, optional: Bool = false
    ) {
        plan.append(JAIL_CGROUP_LIMIT, [UInt64(tree.rawValue)], text: [file, value], optional: optional)
    }
}
