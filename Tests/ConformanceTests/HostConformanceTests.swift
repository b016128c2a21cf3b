import Conformance
import Foundation
import Testing

@Suite(.serialized) struct HostConformanceTests {
    @Test func aHostThatKeepsTheRulesPassesEveryCheck() async throws {
        let results = try await run("right", only: [], patience: 45)
        #expect(results.count >= 120)
        for result in results where result.outcome != .passed {
            Issue.record("\(result.requirement) \(result.title): \(result.outcome)")
        }
    }

    @Test func everyWrongHostFailsForTheRequirementThatItBreaks() async throws {
        let controls = try HostControl.all.get()
        #expect(controls.count >= 50)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, control) in controls.enumerated() {
                if index >= 4 { try await group.next() }
                group.addTask {
                    let results = try await run(control.mode, only: [control.check], patience: 16)
                    let hit = results.first {
                        $0.requirement == control.requirement && $0.title.contains(control.check)
                    }
                    guard case .failed? = hit?.outcome else {
                        Issue.record("\(control.mode): \(hit.map { "\($0.outcome)" } ?? "there is no such check")")
                        return
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func nothingIsLeftOfARun() async throws {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("kit-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let kit = try HostConformance(
            driver: HostControl.driver("right", patience: 45), probe: HostControl.probe.get(),
            only: ["ABI-2.1", "ABI-2.9", "ABI-7.5"], scratch: scratch)
        #expect(try await kit.run().allSatisfy { $0.outcome == .passed })
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch) == [])
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { $0.first?.isNumber == true }
        let left = names.filter { name in
            let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            return line.range(of: Data(scratch.utf8)) != nil
        }
        #expect(left == [])
    }

    @Test func aDriverThatCannotIsSkippedAndNotPassed() async throws {
        let script = "echo '{\"driver\":1,\"host\":\"lame\",\"can\":[]}'; cat > /dev/null"
        let driver = SubprocessHostDriver(command: ["/bin/sh", "-c", script], patience: 1)
        let kit = try HostConformance(driver: driver, probe: HostControl.probe.get(), only: ["ABI-7.10"])
        let results = try await kit.run()
        #expect(results.map(\.outcome) == [.skipped(reason: "the driver cannot: cancel")])
    }

    @Test(arguments: ["exit 3", "echo hello; cat > /dev/null", "echo '{\"driver\":2}'; cat > /dev/null"])
    func aDriverThatDoesNotIntroduceItselfFailsEveryCheck(script: String) async throws {
        let driver = SubprocessHostDriver(command: ["/bin/sh", "-c", script], patience: 1)
        let kit = try HostConformance(driver: driver, probe: HostControl.probe.get(), only: ["ABI-2.1"])
        let results = try await kit.run()
        guard case .failed(let why, _)? = results.first?.outcome else {
            Issue.record("\(results)")
            return
        }
        #expect(why.contains("did not introduce itself"))
    }

    @Test func aHostThatNeverAnswersFails() async throws {
        let script = "echo '{\"driver\":1,\"host\":\"mute\",\"can\":[]}'; cat > /dev/null"
        let driver = SubprocessHostDriver(command: ["/bin/sh", "-c", script], patience: 1)
        let kit = try HostConformance(driver: driver, probe: HostControl.probe.get(), only: ["ABI-2.1"])
        guard case .failed? = try await kit.run().first?.outcome else {
            Issue.record("a mute host did not fail")
            return
        }
    }

    @Test func aFileThatIsNoProbeIsRefused() {
        #expect(throws: HostDriverFailure.self) {
            _ = try HostConformance(driver: HostControl.driver("right", patience: 1), probe: "/etc/passwd")
        }
    }

    private func run(_ mode: String, only: [String], patience: Int) async throws -> [HostCheckResult] {
        let driver = HostControl.driver(mode, patience: patience)
        // Of the right one only whether it keeps the rules: how fast is for a judgement on a machine of its own.
        let slack = mode == "right" ? 20.0 : 1
        return try await HostConformance(
            driver: driver, probe: HostControl.probe.get(), only: only, slack: slack
        ).run()
    }
}
