// `nexus sandbox record`: what a program really asks of the kernel, next to what a profile allows it. A profile shrinks
// by what is seen here never to be used.
import CJail
public import JSONBytes

/// What one run of a program asked for.
public struct SandboxRecord: Sendable, Equatable {
    /// One call, or one kind of it where arguments decide.
    public struct Line: Sendable, Equatable {
        public var call: String
        /// Arguments in words; empty where the name says it all.
        public var detail: String
        public var count: Int
        /// The set of the profile that allows it; for a refused call, empty.
        public var set: String
    }
    public let profile: String
    public let used: [Line]
    public let refused: [Line]
    /// Calls that the profile allows and the program never made, by set.
    public let unused: [(set: String, calls: [String])]

    public static func == (left: SandboxRecord, right: SandboxRecord) -> Bool { left.json == right.json }

    /// Runs a program as `SandboxRun.run` does, with each call shown to the host: many times slower.
    ///
    /// - Throws: `JailError` when the program was never executed, or the kernel has no listeners.
    public static func run(
        _ options: SandboxRun.Options, command: [String], helper: String, cgroups: CgroupPlacement = .ofThisMachine()
    ) async throws(JailError) -> (outcome: SandboxRun.Outcome, record: SandboxRecord) {
        try options.check()
        let profile = try SyscallProfile.named(options.profile)
        let recorder = try CallRecorder(profile: profile)
        let policy = try SandboxRun.policy(options, command: command).recording(weakening: .recordedCalls)
        let outcome = try await SandboxRun.run(
            policy, recorder: recorder, seconds: options.seconds, helper: helper, cgroups: cgroups)
        return (outcome, SandboxRecord(profile: profile, seen: recorder.seen))
    }

    init(profile: SyscallProfile, seen: [CallRecorder.Key: Int]) {
        var sets: [String: String] = [:]
        for rule in profile.allowed where sets[rule.name] == nil { sets[rule.name] = rule.set }
        let lines = seen.map { key, count in
            let name = CallNames.all[key.number] ?? "call \(key.number)"
            return (
                key.allowed,
                Line(call: name, detail: key.detail, count: count, set: key.allowed ? sets[name] ?? "" : "")
            )
        }.sorted { ($0.1.call, $0.1.detail) < ($1.1.call, $1.1.detail) }
        self.profile = profile.name
        used = lines.filter(\.0).map(\.1)
        refused = lines.filter { !$0.0 }.map(\.1)
        let made = Set(used.map(\.call))
        let never = Dictionary(grouping: sets.filter { !made.contains($0.key) }, by: \.value)
        unused = never.sorted { $0.key < $1.key }.map { ($0.key, $0.value.map(\.key).sorted()) }
    }

    public var text: String {
        func list(_ lines: [Line]) -> String {
            lines.map { line in
                let what = line.detail.isEmpty ? line.call : "\(line.call)(\(line.detail))"
                return "  \(line.count)\t\(what)" + (line.set.isEmpty ? "" : "\t\(line.set)")
            }.joined(separator: "\n")
        }
        let never = unused.map { "  \($0.set): \($0.calls.joined(separator: " "))" }.joined(separator: "\n")
        let count = unused.map(\.calls.count).reduce(0, +)
        return """
            used, of profile \(profile) (times, call, set):
            \(list(used))
            refused (\(refused.count)):
            \(list(refused))
            allowed and never used (\(count)):
            \(never)
            """
    }

    public var json: JSONValue {
        func list(_ lines: [Line]) -> JSONValue {
            .array(
                lines.map {
                    [
                        "call": .string($0.call), "detail": .string($0.detail), "count": JSONValue($0.count),
                        "set": .string($0.set),
                    ]
                })
        }
        let never = unused.map { set, calls -> JSONValue in
            ["set": .string(set), "calls": .array(calls.map { .string($0) })]
        }
        return [
            "profile": .string(profile), "used": list(used), "refused": list(refused), "unused": .array(never),
        ]
    }
}
