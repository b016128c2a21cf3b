import CJail
import Glibc
import Synchronization

/// Counts what a program in a recording jail asks for. It decides nothing: the answer to each call is what the
/// profile's own filter answers to the same registers.
final class CallRecorder: Sendable {
    struct Key: Hashable, Sendable {
        var number: UInt32
        /// The arguments in words, for calls that are allowed for some arguments only.
        var detail: String
        var allowed: Bool
    }
    /// A program that makes up arguments must not fill the host's memory.
    static let mostKeys = 4096

    private let filter: FilterEvaluator
    private let names: [UInt32: String]
    private let conditioned: Set<String>
    private struct State {
        /// What nexus-jail itself asks for before it executes the program does not count.
        var executing = false
        var seen: [Key: Int] = [:]
    }
    private let state = Mutex(State())

    init(profile: SyscallProfile) throws(JailError) {
        let compiled = try FilterCompiler.compile(profile, mode: .silent)
        guard let filter = FilterEvaluator(bytes: compiled.bytes) else {
            throw JailError(
                .policy, "the filter of profile \(profile.name) cannot be read back", layer: "seccomp")
        }
        self.filter = filter
        names = CallNames.all
        conditioned = Set(
            profile.allowed.filter { $0.condition != nil }.map(\.name) + profile.denied.map(\.name))
    }

    /// What the profile's filter answers. A call that it would kill for, and one that it cannot judge, is refused.
    func record(_ call: CallData) -> FilterAction {
        let answer = filter.answer(call) ?? .refuse(errno: DenialRules.answer)
        let name = names[call.number] ?? ""
        let detail = conditioned.contains(name) ? ArgumentNames.describe(name, call.arguments) : ""
        return state.withLock { state in
            // The first exec is nexus-jail's own, which init would let through; later nobody is there to.
            let watched: FilterAction = state.executing ? .refuse(errno: ENOSYS) : .allow
            let answer = answer == .watch ? watched : answer
            state.executing = state.executing || name.hasPrefix("execve")
            let key = Key(number: call.number, detail: detail, allowed: answer == .allow)
            guard state.executing, state.seen[key] != nil || state.seen.count < Self.mostKeys else { return answer }
            state.seen[key, default: 0] += 1
            return answer
        }
    }

    /// How often each was asked for.
    var seen: [Key: Int] { state.withLock { $0.seen } }
}

/// Names of calls by number, on this machine: those of the profiles, and whatever else libseccomp can name.
enum CallNames {
    static let all: [UInt32: String] = {
        var names: [UInt32: String] = [:]
        for number in 0..<Int32(1024) {
            var text = [CChar](repeating: 0, count: 64)
            guard cjail_syscall_name(number, &text, text.count) > 0 else { continue }
            names[UInt32(number)] = String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return names
    }()
}
