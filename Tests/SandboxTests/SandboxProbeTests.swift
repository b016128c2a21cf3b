import Glibc
import JSONBytes
import Testing

@testable import Sandbox

@Suite(.serialized) struct SandboxProbeTests {
    private func probe(_ person: Person, _ profile: String) async throws -> ProbeReport {
        let launcher = try person.launcher()
        defer { launcher.close() }
        return try await SandboxProbe.run(
            profile: profile, executable: Programs.probeBytes, launcher: launcher)
    }

    @Test(arguments: Person.available, ["strict", "python"])
    func everyWayOutOfAPluginsJailIsHeld(person: Person, profile: String) async throws {
        let report = try await probe(person, profile)
        #expect(report.findings.count > 150)
        #expect(report.open == [], "\(report.text)")
        #expect(report.json["held"]?.boolValue == true)
    }

    /// The negative control: a probe that finds everything held everywhere would prove nothing.
    @Test(arguments: Person.available)
    func mostWaysAreOpenOutsideAJail(person: Person) throws {
        let (output, status) = try person.outside([Programs.probe])
        let probe = try #require(ProbeOutput(output))
        #expect(status == 0 && probe.isComplete)
        let findings = probe.lines.compactMap(\.finding)
        let open = Set(findings.filter { $0.verdict == .open }.map(\.name))
        #expect(open.count * 5 > findings.count * 2, "only \(open.count) of \(findings.count) are open outside")
        let expected = [
            "io-uring-setup", "userfaultfd", "keyring-of-the-session", "unshare-user", "clone-user", "clone3",
            "socket-inet", "socket-netlink", "see-processes", "terminal-input-wide", "own-memory-write", "users",
            "write-and-execute", "write-then-execute", "execute-memory-file", "much-memory",
            "many-threads", "many-bytes-in-tmp", "many-files-in-tmp", "environment", "leaked-descriptor", "no-filter",
        ]
        for name in expected {
            #expect(open.contains(name), "\(name) is held outside, so that it proves nothing inside")
        }
    }

    /// What a jail for ordinary programs gives on purpose, and nothing beyond.
    @Test func compatOpensOnlyWhatOrdinaryProgramsNeed() async throws {
        let open = try await probe(.ordinary, "compat").open.map(\.name)
        #expect(Set(open).isSubset(of: Self.compatible), "\(open)")
    }
    private static let compatible: Set<String> = [
        "socket-unix", "handle-on-init", "signal-init", "signal-everybody", "queue-signal", "write-and-execute",
        "write-then-execute",
    ]

    @Test func everyActHasANameOfItsOwnAndALayer() throws {
        let lines = try #require(ProbeOutput(try Person.ordinary.outside([Programs.probe]).output)).lines
        #expect(Set(lines.map(\.name)).count == lines.count)
        #expect(!lines.contains { $0.layer.isEmpty || $0.group.isEmpty })
    }

    @Test func outputThatEndsEarlyIsNotComplete() throws {
        let line = "users\tfiles\tfiles\theld\tENOENT\n"
        #expect(try #require(ProbeOutput(line)).isComplete == false)
        #expect(try #require(ProbeOutput(line + "end\t2\n")).isComplete == false)
        #expect(try #require(ProbeOutput(line + "end\t1\n")).isComplete)
        #expect(ProbeOutput("something else\n") == nil)
        #expect(ProbeOutput(line + "end\t1\n" + line) == nil)
    }

    @Test func anActThatRanAloneWasHeldIfASignalEndedIt() throws {
        let line = try #require(ProbeOutput("much-memory\tmemory\tlimits\tapart\t\nend\t1\n")?.lines.first)
        #expect(line.finding == nil)
        #expect(line.alone(nil, .signalled(31)).verdict == .held)
        #expect(line.alone(nil, .exited(code: 0)).verdict == .open)
        let said = ProbeFinding(name: "much-memory", group: "memory", layer: "limits", verdict: .held, detail: "ENOMEM")
        #expect(line.alone(said, .exited(code: 0)) == said)
    }

    @Test func aProbeThatIsNoProbeIsAnErrorAndNotAFinding() async throws {
        let launcher = try Person.ordinary.launcher()
        defer { launcher.close() }
        await #expect(throws: JailError.self) {
            try await SandboxProbe.run(executable: Programs.hostileBytes, launcher: launcher)
        }
    }

    @Test func aFindingThatIsOpenIsSaidInCapitals() {
        let finding = ProbeFinding(name: "users", group: "files", layer: "files", verdict: .open, detail: "succeeded")
        let report = ProbeReport(profile: "strict", findings: [finding])
        #expect(report.text.contains("NOT HELD") && report.json["held"]?.boolValue == false)
    }
}
