import Conformance
import JSONBytes
import Testing

/// Is a right plugin found right, and each wrong one wrong, for the one thing that it does?
@Suite struct NegativeControlTests {
    private static let modes = Controls.modes

    @Test func theRightPluginPassesEveryCheckWithoutASkip() async throws {
        var limits = KitLimits()
        limits.patience = 5_000
        let report = try await Controls.run("right", limits: limits)
        for result in report.failed + report.skipped { Issue.record("\(result.text(isTerminal: false))") }
        #expect(report.exitCode == 0)
        #expect(report.results.count > 60)
    }

    /// Two at a time: more processes than processors would make the kit's clocks judge the machine.
    @Test(arguments: [0, 1])
    func aWrongPluginFailsForItsRequirementOnly(_ lane: Int) async throws {
        for (index, mode) in Self.modes.enumerated() where index % 2 == lane {
            let expected = Set([mode.requirement] + mode.consequences)
            var report = try await Controls.run(mode.name, limits: .brisk)
            var failed = Set(report.failed.map(\.requirement))
            if !failed.contains(mode.requirement) || !failed.isSubset(of: expected) {
                // Brisk limits are there to save time. On a busy machine they judge it too: the usual ones decide.
                report = try await Controls.run(mode.name, limits: KitLimits())
                failed = Set(report.failed.map(\.requirement))
            }
            let text = report.failed.map { $0.text(isTerminal: false) }.joined(separator: "\n")
            #expect(failed.contains(mode.requirement), "\(mode.name) was not found out\n\(text)")
            #expect(failed.isSubset(of: expected), "\(mode.name) failed for more than it does\n\(text)")
            #expect(report.exitCode == 1)
        }
    }

    @Test func everyModeOfTheProgramIsListed() throws {
        let source = try ["wrong.py", "strict_reader.py", "link.py"].map { try Controls.text($0) }.joined()
        let used = source.matches(of: /wrong\(("[a-z0-9-]+"(?:, "[a-z0-9-]+")*)\)/)
            .flatMap { $0.output.1.split(separator: "\"").filter { $0.contains("-") } }
        #expect(Set(used.map(String.init)) == Set(Self.modes.map(\.name)))
        #expect(Self.modes.count > 50)
    }
}
