// From a call that waits for its errno to an event that a person can act on: which line of the profile refused it, and
// what would have been allowed. Pure: the same call always makes the same words.
import CJail
import Glibc
import Synchronization

/// What one profile says about the calls that its filter reports.
struct DenialRules: Sendable {
    let profile: String
    private let rules: [Int32: SyscallRule]

    private static let known = Mutex<[String: DenialRules]>([:])

    /// Of one of the built-in profiles. Reading those takes as long as a good part of a start, so each is kept.
    static func named(_ profile: String) throws(JailError) -> DenialRules {
        if let rules = known.withLock({ $0[profile] }) { return rules }
        let rules = DenialRules(profile: try SyscallProfile.named(profile))
        known.withLock { $0[profile] = rules }
        return rules
    }

    init(profile: SyscallProfile) {
        self.profile = profile.name
        rules = Dictionary(
            profile.denied.map { (cjail_syscall_number($0.name), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The answer to every reported call.
    static let answer = EPERM

    func denial(_ call: CallData, processID: Int32, time: Int64) -> JailDenial {
        let number = Int32(bitPattern: call.number)
        let rule = rules[number]
        let name = rule?.name ?? "call \(number)"
        return JailDenial(
            time: time, call: name, number: number, arguments: call.arguments,
            detail: ArgumentNames.describe(name, call.arguments), answer: ErrnoName.name(Self.answer),
            profile: profile, reason: rule?.reason ?? "no line of the profile allows it",
            advice: advice(call, rule), processID: processID)
    }

    private func advice(_ call: CallData, _ rule: SyscallRule?) -> String {
        let others = Self.profilesAllowing(call).filter { $0 != profile }
        let allowed =
            others.isEmpty
            ? "no profile and no permission allows it"
            : "allowed by profile \(others.joined(separator: ", "))"
        return rule?.instead.map { "\(allowed); instead: \($0)" } ?? allowed
    }

    /// Asks the filters themselves, so that advice cannot differ from what is enforced.
    static func profilesAllowing(_ call: CallData) -> [String] {
        filters.filter { $0.filter.answer(call) == .allow }.map(\.name)
    }

    private static let filters: [(name: String, filter: FilterEvaluator)] =
        ((try? SyscallProfile.names()) ?? []).filter { $0 != "init" && !$0.hasSuffix("-proxy") }.compactMap { name in
            guard let filter = try? FilterCompiler.filter(profile: name, mode: .silent) else {
                return nil
            }
            return FilterEvaluator(bytes: filter.bytes).map { (name, $0) }
        }
}
