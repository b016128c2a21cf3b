import CJail
import Glibc
import Synchronization

/// A profile as BPF, ready for seccomp(2).
struct CompiledFilter: Sendable, Equatable {
    var profile: String
    var bytes: [UInt8]
    /// It asks the host about some calls: it must be installed with a listener.
    var hasListener: Bool
    /// Exec is allowed only while init watches the process.
    var guardsExec: Bool
}

/// The bytes that seccomp(2) gets for a profile, for whoever wants to measure or disassemble them.
public enum ProfileFilter {
    /// - Throws: `JailError.Code.policy` for a name that no profile has.
    public static func bytes(of profile: String) throws(JailError) -> [UInt8] {
        try FilterCompiler.filter(profile: profile).bytes
    }
}

/// Turns profiles into filters. Each is kept: a host starts many jails of few profiles.
enum FilterCompiler {
    /// What becomes of a refused call, or of every call.
    enum Mode: Hashable, Sendable {
        /// Refused calls are answered by the kernel alone.
        case silent
        /// Calls of the denied set go to the host, which can only refuse them.
        case reported
        /// `JailWeakening.shownPaths`: the same, and allowed calls that name a file go to the host as well.
        case shown
        /// `JailWeakening.recordedCalls`: allowed calls go to the host as well, to be counted.
        case recorded
    }
    private struct Key: Hashable {
        var profile: String
        var mode: Mode
    }
    private static let cache = Mutex<[Key: CompiledFilter]>([:])

    static func filter(profile name: String, mode: Mode = .reported) throws(JailError) -> CompiledFilter {
        let key = Key(profile: name, mode: mode)
        if let known = cache.withLock({ $0[key] }) { return known }
        let compiled = try compile(SyscallProfile.named(name), mode: mode)
        cache.withLock { $0[key] = compiled }
        return compiled
    }

    static func compile(_ profile: SyscallProfile, mode: Mode = .reported) throws(JailError) -> CompiledFilter {
        var decisions = try decisions(profile, refusal: mode == .silent ? .refuse(errno: EPERM) : .report)
        if mode == .shown {
            for number in PathCall.byNumber.keys where decisions[number] == .always(.allow) {
                decisions[number] = .always(.report)
            }
        }
        let program =
            mode == .recorded
            ? FilterProgram.assemble(recorded, others: .report)
            : FilterProgram.assemble(decisions, others: .refuse(errno: ENOSYS))
        guard program.count <= Int(JAIL_MAX_FILTER_INSTRUCTIONS) else {
            throw JailError(
                .policy,
                "profile \(profile.name) makes \(program.count) instructions, the kernel takes "
                    + "\(JAIL_MAX_FILTER_INSTRUCTIONS)", layer: "seccomp")
        }
        return CompiledFilter(
            profile: profile.name, bytes: FilterProgram.bytes(program), hasListener: mode != .silent,
            guardsExec: mode != .recorded && decisions.values.contains(.always(.watch)))
    }

    /// Number by number. A call that exists on other processors only has none.
    private static func decisions(
        _ profile: SyscallProfile, refusal: FilterAction
    ) throws(JailError) -> [Int32: CallDecision] {
        let denied = Set(profile.denied.map(\.name))
        var decisions: [Int32: CallDecision] = [:]
        // A denied call that nobody can name here gets the default answer, which refuses it as well.
        for name in denied { decisions[cjail_syscall_number(name)] = .always(refusal) }
        for (name, rules) in Dictionary(grouping: profile.allowed, by: \.name) {
            let number = cjail_syscall_number(name)
            guard number != -1 else {
                throw JailError(.policy, "libseccomp does not know the system call \(name)", layer: "seccomp")
            }
            let conditions = rules.compactMap(\.condition)
            if rules.allSatisfy(\.once) {
                decisions[number] = .always(.watch)
                continue
            }
            let otherwise: FilterAction = denied.contains(name) ? refusal : .refuse(errno: ENOSYS)
            decisions[number] =
                conditions.count < rules.count
                ? .always(.allow) : .when(merged(conditions), then: .allow, otherwise: otherwise)
        }
        return decisions
    }

    /// Every call goes to the host but the one by which nexus-jail hands over the listener itself.
    private static var recorded: [Int32: CallDecision] {
        let report = SyscallRule.Condition(argument: 0, mask: .max, values: [UInt32(JAIL_REPORT_DESCRIPTOR)])
        return [
            cjail_syscall_number("sendmsg"): .when([report], then: .allow, otherwise: .report),
            // Where the C library asks for it, the answer must be what the real filter says, at once.
            cjail_syscall_number("clone3"): .always(.refuse(errno: ENOSYS)),
        ]
    }

    /// Values that are compared under the same mask are compared in one go.
    private static func merged(_ conditions: [SyscallRule.Condition]) -> [SyscallRule.Condition] {
        var merged: [SyscallRule.Condition] = []
        for condition in conditions {
            if let index = merged.firstIndex(where: {
                $0.argument == condition.argument && $0.mask == condition.mask && $0.also == condition.also
            }) {
                merged[index].values += condition.values.filter { !merged[index].values.contains($0) }
            } else {
                merged.append(condition)
            }
        }
        return merged
    }
}
