import Testing

@testable import Sandbox

@Suite struct CgroupPlacementTests {
    private let all: Set<String> = ["cpu", "memory", "pids"]

    private func place(_ machine: CgroupTexts.Machine, _ facts: [String: CgroupDirectory]) -> CgroupPlacement {
        CgroupPlacement(machine.hierarchies) { facts[$0] }
    }

    @Test func delegatedUnitGetsEverythingBelowItselfAndMovesToALeaf() {
        let unit = "/sys/fs/cgroup/system.slice/nexusd.service"
        let placement = place(
            CgroupTexts.delegated,
            [
                unit: CgroupDirectory(writable: true, available: all),
                "/sys/fs/cgroup/system.slice": CgroupDirectory(writable: false, available: all, enabled: all),
            ])
        #expect(placement.places.values.allSatisfy { $0 == .init(version: .v2, directory: unit) })
        #expect(placement.places.count == 3 && placement.obstacles.isEmpty)
        #expect(placement.leaf == "\(unit)/nexus-host")
    }

    /// systemd's DelegateSubgroup=, or a host started a second time in the unit.
    @Test func directoryAboveIsUsedWhereItIsOursAndHoldsNobody() {
        let machine = CgroupTexts.Machine(
            membership: "0::/system.slice/nexusd.service/nexus-host\n", mounts: CgroupTexts.delegated.mounts)
        let unit = "/sys/fs/cgroup/system.slice/nexusd.service"
        let placement = place(
            machine,
            [
                unit: CgroupDirectory(writable: true, available: all, enabled: ["memory", "pids", "cpu"]),
                "\(unit)/nexus-host": CgroupDirectory(writable: true, available: all),
            ])
        #expect(placement.places[.memory] == .init(version: .v2, directory: unit))
        #expect(placement.leaf == nil)
    }

    @Test func unitWithoutDelegationSaysHowToDelegate() {
        let unit = "/sys/fs/cgroup/system.slice/nexusd.service"
        let facts = CgroupDirectory(writable: true, managed: true, available: all)
        for facts in [CgroupDirectory(writable: false, available: all), facts] {
            let placement = place(CgroupTexts.delegated, [unit: facts])
            #expect(placement.places.isEmpty && placement.lifecycle == nil && placement.leaf == nil)
            for resource in CgroupResource.allCases {
                #expect(placement.obstacles[resource]?.remedy.contains("Delegate=") == true)
            }
        }
    }

    @Test func controllersThatAreNotDelegatedAreNamed() {
        let unit = "/sys/fs/cgroup/system.slice/nexusd.service"
        let placement = place(
            CgroupTexts.delegated, [unit: CgroupDirectory(writable: true, available: ["memory", "pids"])])
        #expect(Set(placement.places.keys) == [.memory, .pids])
        #expect(placement.obstacles[.cpu]?.evidence == "\(unit) has no cpu controller")
    }

    @Test func hybridMachineHasItsLimitsOnVersionOneAndItsLifeOnVersionTwo() {
        let writable = CgroupDirectory(writable: true)
        let placement = place(
            CgroupTexts.hybrid,
            [
                "/sys/fs/cgroup/memory/process_api/3d6b": writable, "/sys/fs/cgroup/pids": writable,
                "/sys/fs/cgroup/cpu": writable,
                "/sys/fs/cgroup/unified": CgroupDirectory(writable: true, available: ["hugetlb"]),
            ])
        #expect(
            placement.places[.memory] == .init(version: .v1, directory: "/sys/fs/cgroup/memory/process_api/3d6b"))
        #expect(placement.places.values.allSatisfy { $0.version == .v1 } && placement.places.count == 3)
        #expect(placement.lifecycle == "/sys/fs/cgroup/unified")
        #expect(placement.leaf == nil, "nothing is enabled there, so nobody has to move")
    }

    @Test func ordinaryUserOfVersionOneIsToldWhichDirectoryIsNotIts() {
        let facts = CgroupDirectory(writable: false)
        let placement = place(
            CgroupTexts.v1,
            [
                "/sys/fs/cgroup/cpu,cpuacct/user.slice": facts, "/sys/fs/cgroup/pids": facts,
                "/sys/fs/cgroup/memory/user.slice/u": CgroupDirectory(writable: true),
            ])
        #expect(Set(placement.places.keys) == [.memory])
        #expect(placement.obstacles[.pids]?.evidence == "/sys/fs/cgroup/pids is not ours to write")
        #expect(placement.lifecycle == nil)
    }

    @Test func containerWithAReadOnlyMountIsToldSo() {
        let placement = place(
            CgroupTexts.dockerReadOnly, ["/sys/fs/cgroup": CgroupDirectory(writable: true, available: all)])
        #expect(placement.places.isEmpty && placement.lifecycle == nil)
        #expect(placement.obstacles[.memory]?.evidence == "/sys/fs/cgroup is mounted read-only")
    }

    @Test func machineWithoutCgroupsHasNone() {
        let placement = CgroupPlacement([]) { _ in nil }
        #expect(placement.places.isEmpty && placement.obstacles.count == 3)
        #expect(CgroupPlacement.none.places.isEmpty)
    }

    @Test func cgroupThatCannotBeReachedIsNoPlace() {
        let placement = place(CgroupTexts.dockerV1, [:])
        #expect(placement.obstacles[.memory]?.remedy.contains("--cgroupns=private") == true)
    }

    @Test func aReviewerIsToldWhatHoldsAsAWholeAndWhy() {
        var placement = CgroupPlacement.none
        placement.places[.memory] = .init(version: .v1, directory: "/sys/fs/cgroup/memory")
        placement.obstacles[.pids] = .init(evidence: "nothing is mounted", remedy: "mount it")
        let section = placement.explanation
        #expect(section.name == "bounds on this machine")
        #expect(section.entries.map(\.what) == ["memory", "pids", "cpu"])
        #expect(section.entries[0].detail == "the jail as a whole (cgroup v1)")
        #expect(section.entries[1].detail == "counted for the jail's user; nothing is mounted; mount it")
        #expect(section.entries[2].detail == "not bounded")
    }
}
