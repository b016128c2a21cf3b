import CJail
import Glibc
import Synchronization

/// A profile as BPF, ready for seccomp(2).
struct CompiledFilter: Sendable, Equatable {
    var profile: String
    var bytes: [UInt8]
}

/// Turns profiles into filters. Compiling one costs milliseconds, so each is kept.
enum FilterCompiler {
    private static let cache = Mutex<[String: CompiledFilter]>([:])

    static func filter(profile name: String) throws(JailError) -> CompiledFilter {
        if let known = cache.withLock({ $0[name] }) { return known }
        let compiled = try compile(SyscallProfile.named(name))
        cache.withLock { $0[name] = compiled }
        return compiled
    }

    static func compile(_ profile: SyscallProfile) throws(JailError) -> CompiledFilter {
        var rules: [cjail_rule] = []
        let unconditional = Set(profile.allowed.filter { $0.condition == nil }.map(\.name))
        for rule in profile.allowed {
            // libseccomp lets the unconditional rule win; leaving the others out keeps the filter short.
            if rule.condition != nil && unconditional.contains(rule.name) { continue }
            rules += try lines(for: rule, action: 0)
        }
        // A denied call that this libseccomp cannot name gets the default answer, which refuses it as well.
        for rule in profile.denied { rules += (try? lines(for: rule, action: UInt16(EPERM))) ?? [] }
        var output = [UInt8](repeating: 0, count: Int(JAIL_MAX_FILTER_INSTRUCTIONS) * 8)
        let length = cjail_filter(rules, rules.count, UInt16(ENOSYS), &output, output.count)
        guard length > 0 else {
            let number = Int32(truncatingIfNeeded: -length)
            throw JailError(
                .policy, "profile \(profile.name) does not compile: \(ErrnoName.describe(number))", layer: "seccomp",
                errno: number)
        }
        return CompiledFilter(profile: profile.name, bytes: Array(output.prefix(length)))
    }

    /// The rules for one line: one per accepted value. A call that exists on other processors only has none.
    private static func lines(for rule: SyscallRule, action: UInt16) throws(JailError) -> [cjail_rule] {
        let number = cjail_syscall_number(rule.name)
        guard number != -1 else {
            throw JailError(.policy, "libseccomp does not know the system call \(rule.name)", layer: "seccomp")
        }
        guard number >= 0 else { return [] }
        guard let condition = rule.condition else {
            return [cjail_rule(number: number, action: action, has_argument: 0, argument: 0, mask: 0, value: 0)]
        }
        return condition.values.map {
            cjail_rule(
                number: number, action: action, has_argument: 1, argument: condition.argument, mask: condition.mask,
                value: $0)
        }
    }
}
