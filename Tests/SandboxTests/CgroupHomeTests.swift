import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Plain directories stand in for cgroups here: what counts is which are made and which removed.
@Suite struct CgroupHomeTests {
    private func folder() throws -> String {
        let path = "/tmp/nexus-cgroup-home-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func placement(_ version: CgroupVersion, _ directory: String) -> CgroupPlacement {
        var placement = CgroupPlacement.none
        for resource in CgroupResource.allCases {
            placement.places[resource] = .init(version: version, directory: directory)
        }
        return placement
    }

    @Test func startOfAProcessIsTheSameEveryTimeAndNilWhenThereIsNone() throws {
        let start = try #require(CgroupHome.startOf(getpid()))
        #expect(start > 0 && CgroupHome.startOf(getpid()) == start)
        #expect(CgroupHome.startOf(Int32.max) == nil)
    }

    @Test func homeIsMadeOnceForControllersThatShareAHierarchyAndRemovedWithItsJails() throws {
        let base = try folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        let home = CgroupHome(placement(.v1, base))
        let made = try FileManager.default.contentsOfDirectory(atPath: base)
        #expect(made.count == 1 && made[0].hasPrefix("nexus-\(getpid())-"))
        #expect(home.arguments.count == 6 && Set(home.arguments.filter { $0.hasPrefix("/") }).count == 1)
        #expect(home.bounds.versions == [.memory: .v1, .pids: .v1, .cpu: .v1])
        try FileManager.default.createDirectory(atPath: "\(base)/\(made[0])/1", withIntermediateDirectories: false)
        home.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: base).isEmpty)
    }

    @Test func directoryThatCannotBeMadeLeavesItsResourceOutAndSaysWhy() {
        let home = CgroupHome(placement(.v1, "/nowhere"))
        #expect(home.bounds.versions.isEmpty && home.arguments.isEmpty)
        #expect(home.bounds.missing[.memory]?.contains("ENOENT") == true)
    }

    @Test func controllersThatCannotBeEnabledLeaveNothingBehind() throws {
        let base = try folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        var placement = placement(.v2, base)
        placement.lifecycle = base
        let home = CgroupHome(placement)
        #expect(home.bounds.versions.isEmpty)
        #expect(home.bounds.missing[.pids]?.contains("cgroup.subtree_control") == true)
        home.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: base).isEmpty)
    }

    @Test func sweepTakesTheHomesOfTheDeadAndNothingElse() throws {
        let base = try folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        let start = try #require(CgroupHome.startOf(getpid()))
        let kept = ["nexus-\(getpid())-\(start)-7", "nexus-host", "nexus-1-2", "other-2147483647-1-1"]
        let stale = ["nexus-2147483647-1-1/3", "nexus-\(getpid())-\(start + 1)-1/12"]
        for name in kept + stale {
            try FileManager.default.createDirectory(atPath: "\(base)/\(name)", withIntermediateDirectories: true)
        }
        CgroupHome.sweep(base)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: base)) == Set(kept))
    }
}
