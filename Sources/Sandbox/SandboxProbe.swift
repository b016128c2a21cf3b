// `nexus sandbox probe`: nexus-sandbox-probe in the jail of a plugin, and what it says. An act that can end the process
// that tries it gets a jail of its own, because a plugin's jail makes no child processes.
import CJail
import Glibc
public import JSONBytes

/// One way out, tried.
public struct ProbeFinding: Sendable, Equatable {
    public enum Verdict: String, Sendable {
        /// It did not work.
        case held
        /// It worked, or the kernel itself looked at the request.
        case open
    }
    public let name: String
    public let group: String
    /// What is expected to hold it in our own jail.
    public let layer: String
    public let verdict: Verdict
    /// The errno or the signal.
    public let detail: String
}

/// What a probe found.
public struct ProbeReport: Sendable, Equatable {
    public let profile: String
    public let findings: [ProbeFinding]

    public var open: [ProbeFinding] { findings.filter { $0.verdict == .open } }

    public var json: JSONValue {
        [
            "profile": .string(profile), "tried": .number(JSONNumber(findings.count)), "held": .bool(open.isEmpty),
            "findings": .array(
                findings.map { finding in
                    [
                        "name": .string(finding.name), "group": .string(finding.group),
                        "layer": .string(finding.layer), "held": .bool(finding.verdict == .held),
                        "detail": .string(finding.detail),
                    ]
                }),
        ]
    }

    /// One line for each act, then the count.
    public var text: String {
        let lines = findings.map { finding in
            let verdict = finding.verdict == .held ? "held      " : "NOT HELD  "
            return "\(verdict)\(finding.group)/\(finding.name): \(finding.detail) (\(finding.layer))"
        }
        let count =
            open.isEmpty
            ? "\(findings.count) ways out tried in profile \(profile), all held"
            : "\(open.count) of \(findings.count) ways out NOT HELD in profile \(profile)"
        return (lines + [count]).joined(separator: "\n")
    }
}

public enum SandboxProbe {
    /// How long one jail of the probe may run. It takes well under a second where nothing slows refused calls down.
    public static let seconds = 120

    /// Runs the probe in jails of a profile, as `SandboxProbe.policy` describes them.
    ///
    /// - Parameters:
    ///   - executable: the bytes of nexus-sandbox-probe.
    ///   - mounts: what the profile's plugins see of the machine, if anything.
    /// - Throws: `JailError` when a jail could not be built, or the probe did not come to its end.
    public static func run(
        profile: String = "strict", executable: [UInt8], mounts: [JailMount] = [], launcher: JailLauncher
    ) async throws(JailError) -> ProbeReport {
        let program = try SealedMemory.seal(executable, name: "probe")
        defer { close(program) }
        var policy = policy(profile: profile, mounts: mounts)
        let (text, exit) = try await output(policy, program, launcher)
        guard exit == .exited(code: 0), let lines = ProbeOutput(text), lines.isComplete else {
            throw JailError(
                .launcher, "the probe did not come to its end in profile \(profile): \(exit) after \(last(text))")
        }
        var findings: [ProbeFinding] = []
        for line in lines.lines {
            if let finding = line.finding {
                findings.append(finding)
                continue
            }
            policy.arguments = ["nexus-sandbox-probe", line.name]
            let (text, exit) = try await output(policy, program, launcher)
            findings.append(line.alone(ProbeOutput(text)?.lines.first?.finding, exit))
        }
        return ProbeReport(profile: profile, findings: findings)
    }

    /// A plugin's jail with little of everything, so that the acts that use things up reach the bound quickly.
    static func policy(profile: String, mounts: [JailMount]) -> JailPolicy {
        JailPolicy(
            name: "probe", profile: profile, program: .sealed, arguments: ["nexus-sandbox-probe"], mounts: mounts,
            limits: JailLimits(
                memoryBytes: 64 << 20, processes: 32, openFiles: 64, fileBytes: 16 << 20, temporaryBytes: 16 << 20))
    }

    private static func last(_ text: String) -> String {
        text.split(separator: "\n").last?.split(separator: "\t").first.map { "\($0)" } ?? "no act"
    }

    /// What a jail's program printed. It prints less than a pipe holds.
    private static func output(
        _ policy: JailPolicy, _ program: Int32, _ launcher: JailLauncher
    ) async throws(JailError) -> (String, JailExit) {
        var ends: [Int32] = [-1, -1]
        let number = cjail_pipe(&ends)
        guard number == 0 else { throw .system("pipe", number) }
        defer { close(ends[0]) }
        let jail: Jail
        do {
            jail = try await launcher.spawn(
                policy, descriptors: JailDescriptors(standardOutput: ends[1], executable: program))
        } catch {
            close(ends[1])
            throw error
        }
        close(ends[1])
        let limit = Task {
            try await Task.sleep(for: .seconds(seconds))
            jail.kill()
        }
        let exit = await jail.exited()
        limit.cancel()
        var text: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(ends[0], &bytes, bytes.count)
            guard count > 0 else { break }
            text += bytes.prefix(count)
        }
        return (String(decoding: text, as: UTF8.self), exit)
    }
}

/// The probe's lines: name, group, layer, verdict, detail; then "end" and how many.
struct ProbeOutput: Sendable {
    struct Line: Sendable {
        var name, group, layer, verdict, detail: String

        /// Nil for an act that is to be run alone.
        var finding: ProbeFinding? {
            guard let verdict = ProbeFinding.Verdict(rawValue: verdict) else { return nil }
            return ProbeFinding(name: name, group: group, layer: layer, verdict: verdict, detail: detail)
        }

        /// The finding of a run of its own. Death by a signal is what the kernel answers to such an act.
        func alone(_ said: ProbeFinding?, _ exit: JailExit) -> ProbeFinding {
            if let said { return said }
            let isHeld = if case .signalled = exit { true } else { false }
            return ProbeFinding(
                name: name, group: group, layer: layer, verdict: isHeld ? .held : .open, detail: "\(exit)")
        }
    }

    private(set) var lines: [Line] = []
    /// The last line is there and counts right.
    private(set) var isComplete = false

    /// Nil for what no probe prints.
    init?(_ text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, parts[0] == "end" {
                isComplete = Int(parts[1]) == lines.count
            } else if parts.count == 5, !isComplete {
                lines.append(
                    Line(name: parts[0], group: parts[1], layer: parts[2], verdict: parts[3], detail: parts[4]))
            } else {
                return nil
            }
        }
    }
}
