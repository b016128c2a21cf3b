import Testing

@testable import Sandbox

@Suite struct CgroupLimitsTests {
    private func lines(_ bounds: CgroupBounds, cpu: UInt32? = 150) throws -> [String] {
        var plan = PlanWriter()
        var limits = JailLimits.standard
        limits.cpuPercent = cpu
        CgroupLimits.append(limits, bounds, &plan)
        return try plan.finish(host: JailHost(privileged: false, outerUser: 1, outerGroup: 1)).description
            .split(separator: "\n").map(String.init)
    }

    @Test func versionTwoHasAllItsLimitsInOneTree() throws {
        #expect(
            try lines(CgroupBounds(versions: [.memory: .v2, .pids: .v2, .cpu: .v2])) == [
                "layer cgroup: entered, with its limits set",
                "  cgroup-limit 3 memory.max 536870912",
                "  cgroup-limit 3 memory.swap.max 0 (optional)",
                "  cgroup-limit 3 memory.oom.group 1 (optional)",
                "  cgroup-limit 3 pids.max 65",
                "  cgroup-limit 3 cpu.max 150000 100000",
                "  cgroup",
            ])
    }

    @Test func processorIsBoundedOnlyWhereThePolicySaysHowMuch() throws {
        let bounds = CgroupBounds(versions: [.memory: .v1, .pids: .v1, .cpu: .v1])
        #expect(try lines(bounds).contains("  cgroup-limit 2 cpu.cfs_quota_us 150000"))
        #expect(try !lines(bounds, cpu: nil).contains { $0.contains("cpu.") })
    }

    @Test func jailEntersADirectoryThatBoundsNothing() throws {
        #expect(
            try lines(CgroupBounds(holdsLife: true)) == ["layer cgroup: entered, with its limits set", "  cgroup"])
        #expect(try lines(.none).isEmpty)
    }
}
