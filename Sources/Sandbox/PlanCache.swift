import CJail

/// The plans of the policies that were used last: a plugin's is the same at every start but for the user that it gets.
struct PlanCache: Sendable {
    private struct Entry {
        var policy: JailPolicy
        /// Without the ids.
        var host: JailHost
        var plan: JailPlan
    }
    static let size = 64
    private var entries: [Entry] = []

    /// What `JailCompiler.compile` gives for the same arguments.
    mutating func plan(_ policy: JailPolicy, host: JailHost, kernel: KernelSupport) throws(JailError) -> JailPlan {
        var anybody = host
        (anybody.outerUser, anybody.outerGroup) = (0, 0)
        if let index = entries.firstIndex(where: { $0.policy == policy && $0.host == anybody }) {
            let entry = entries.remove(at: index)
            entries.append(entry)
            return entry.plan.given(host)
        }
        let plan = try JailCompiler.compile(policy, host: anybody, kernel: kernel)
        if entries.count == Self.size { entries.removeFirst() }
        entries.append(Entry(policy: policy, host: anybody, plan: plan))
        return plan.given(host)
    }
}

extension JailPlan {
    /// The same plan for another user: nothing but the header names who the jail is outside.
    fileprivate func given(_ host: JailHost) -> JailPlan {
        var copy = bytes
        copy.withUnsafeMutableBytes { raw in
            var header = raw.loadUnaligned(as: jail_plan_header.self)
            header.outer_uid = host.outerUser
            header.outer_gid = host.outerGroup
            raw.storeBytes(of: header, as: jail_plan_header.self)
        }
        return JailPlan(bytes: copy, description: description)
    }
}
