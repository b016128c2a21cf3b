import Testing

@testable import Sandbox

@Suite struct JailPolicyExplanationTests {
    private static let policy = JailPolicy(
        name: "sample", program: .sealed, arguments: ["sample", "-v"], environment: ["LANG": "C"],
        mounts: [
            JailMount(source: "/srv/data", destination: "/data"),
            JailMount(source: "/srv/out", destination: "/out", weakening: .writableMount),
        ])

    @Test func everyPartOfThePolicyIsInIt() throws {
        let explanation = try Self.policy.explanation()
        #expect(explanation["program"].contains(.init("arguments", "sample -v")))
        #expect(explanation["environment"] == [.init("LANG", "C")])
        #expect(explanation["namespaces"].map(\.what) == ["user", "mount", "pid", "network", "ipc", "uts", "cgroup"])
        #expect(explanation["descriptors"].map(\.what) == ["0", "1", "2", "3"])
        #expect(
            explanation["files"].prefix(4) == [
                .init("/", "empty, read-only"), .init("/data", "/srv/data of the host, read-only"),
                .init("/out", "/srv/out of the host, WRITABLE, nothing in it is executed"),
                .init("/tmp", "private, writable, 64 MiB, nothing in it is executed"),
            ])
        #expect(explanation["limits"].contains(.init("memory", "512 MiB")))
    }

    @Test(arguments: ["native", "strict", "python", "compat"])
    func everyAllowedCallIsThereWithItsReason(profile: String) throws {
        var policy = Self.policy
        policy.profile = profile
        let explanation = try policy.explanation()
        let allowed = try SyscallProfile.named(profile).allowed
        #expect(explanation["system calls"].count == allowed.count && allowed.count > 50)
        #expect(explanation["system calls"].allSatisfy { !$0.detail.isEmpty })
        #expect(explanation["refused and reported"].contains { $0.what == "io_uring_setup" })
        #expect(explanation["rights"].contains { $0.what == "new machine code" } == (profile != "compat"))
    }

    @Test func whatAWiderPolicyGivesShowsInTheDifference() throws {
        var wider = Self.policy
        wider.profile = "python"
        wider.limits.processes = 128
        wider.temporary["/cache"] = 4097
        let lines = ExplanationDifference(from: try Self.policy.explanation(), to: try wider.explanation()).lines
        let text = lines.map { "\($0.change.rawValue) \($0.section): \($0.what)" }
        #expect(text.contains("changed program: profile") && text.contains("changed limits: processes and threads"))
        #expect(text.contains("added files: /cache") && text.contains("added system calls: alarm"))
    }

    @Test func aProfileThatDoesNotExistIsAnError() {
        var policy = Self.policy
        policy.profile = "none"
        #expect(throws: JailError.self) { try policy.explanation() }
    }
}
