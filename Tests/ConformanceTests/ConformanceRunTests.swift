import Conformance
import JSONBytes
import Testing

@Suite struct ConformanceRunTests {
    private func run(
        _ command: [String], manifest: String? = nil, only: [String] = []
    ) async throws -> ConformanceReport {
        var options = ConformanceRun.Options()
        options.only = only
        options.limits = .brisk
        return try await ConformanceRun(plugin: .command(command, manifest: manifest), options: options).run()
    }

    @Test func withoutAManifestToolChecksAreSkippedAndSaySo() async throws {
        let command = ["/usr/bin/python3", "-I", "-B", "-S", Controls.folder + "/wrong.py", "right"]
        let report = try await run(command, only: ["ABI-7.6", "ABI-5.1"])
        #expect(report.failed.isEmpty)
        #expect(report.passed.contains { $0.requirement == "ABI-5.1" })
        #expect(report.skipped.contains { $0.requirement == "ABI-7.6" && "\($0.outcome)".contains("--manifest") })
    }

    @Test func aProgramThatDoesNotExistIsAFailureWithItsReason() async throws {
        let report = try await run(["/nonexistent/plugin"], only: ["ABI-5.1"])
        #expect(report.exitCode == 1)
        #expect("\(report.results)".contains("No such file or directory"))
    }

    /// `make debug` builds both: the jail and a plugin in C.
    @Test func aDirectoryRunsInItsJail() async throws {
        var options = ConformanceRun.Options()
        options.jailHelper = Controls.root + "/.build/debug/nexus-jail"
        options.only = ["ABI-2", "ABI-3", "ABI-5", "ABI-6.6"]
        let plugin = PluginUnderTest.directory(Controls.root + "/.build/fixture-plugins/echo")
        let report = try await ConformanceRun(plugin: plugin, options: options).run()
        for result in report.failed { Issue.record("\(result.text(isTerminal: false))") }
        #expect(report.passed.contains { $0.requirement == "ABI-6.6" })
    }

    @Test func aProgramThatIsNoPluginFailsForItsMissingHello() async throws {
        let report = try await run(["/bin/true"])
        #expect(Set(report.failed.map(\.requirement)) == ["ABI-5.1"])
        #expect(report.passed.isEmpty)
    }

    /// Rules that are watched throughout need the other checks, whatever was asked for.
    @Test(arguments: [
        ("sends-tools", "ABI-8.2"), ("adds-a-newline", "ABI-3.1"), ("tells-progress-after-the-end", "ABI-7.12"),
    ])
    func aPartOfTheReportIsNoPartOfTheRun(_ mode: String, _ requirement: String) async throws {
        let report = try await Controls.run(mode, limits: .brisk, only: [requirement])
        #expect(Set(report.failed.map(\.requirement)) == [requirement])
        #expect(report.results.allSatisfy { $0.requirement == requirement })
        #expect(report.exitCode == 1)
        #expect(report.summary(isTerminal: false).contains("checks of those asked for"))
    }

    @Test func whatNothingShowedIsSkipped() async throws {
        let silent = try await run(["/bin/true"], only: ["ABI-3.1"])
        #expect(silent.passed.isEmpty && silent.exitCode == 1)
        // Without plugin.json no tool is called: no data, no host call, no credential.
        let command = ["/usr/bin/python3", "-I", "-B", "-S", Controls.folder + "/wrong.py", "right"]
        let report = try await run(
            command, only: ["ABI-4.9", "ABI-7.12", "ABI-7.14", "ABI-7.17", "ABI-8.2", "ABI-9.5", "ABI-7.13", "MAN-6.3"])
        #expect(report.failed.isEmpty)
        #expect(report.passed.isEmpty, "\(report.passed.map(\.requirement))")
    }

    @Test func aManifestThatDoesNotExistIsRefused() async throws {
        await #expect(throws: StartFailure.self) {
            try await run(["/bin/true"], manifest: "/nonexistent/plugin.json")
        }
    }
}
