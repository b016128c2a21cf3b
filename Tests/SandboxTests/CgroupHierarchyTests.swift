import Testing

@testable import Sandbox

/// Texts as they stand on machines of each kind.
enum CgroupTexts {
    struct Machine: Sendable { var membership, mounts: String }

    static let delegated = Machine(
        membership: "0::/system.slice/nexusd.service\n",
        mounts: """
            24 30 0:22 / /proc rw,nosuid - proc proc rw
            35 30 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate

            """)
    static let v1 = Machine(
        membership: "5:cpu,cpuacct:/user.slice\n4:memory:/user.slice/u\n3:pids:/\n1:name=systemd:/user.slice\n",
        mounts: """
            41 30 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:15 - cgroup cgroup rw,cpu,cpuacct
            42 30 0:34 / /sys/fs/cgroup/memory rw,relatime shared:16 - cgroup cgroup rw,memory
            43 30 0:35 / /sys/fs/cgroup/pids rw,relatime shared:17 - cgroup cgroup rw,pids
            44 30 0:36 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd

            """)
    static let hybrid = Machine(
        membership: "8:pids:/\n4:memory:/process_api/3d6b\n1:cpu:/\n0::/\n",
        mounts: """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

            """)
    static let dockerReadOnly = Machine(
        membership: "0::/\n",
        mounts: "600 590 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw\n")
    /// Docker with v1 and no cgroup namespace: the mount shows only what is below the container's own cgroup.
    static let dockerV1 = Machine(
        membership: "4:memory:/docker/ab12\n3:pids:/docker/ab12/sub\n",
        mounts: """
            70 60 0:34 /docker/ab12 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            71 60 0:35 /docker/ab12 /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids

            """)
}

extension CgroupTexts.Machine {
    var hierarchies: [CgroupHierarchy] { CgroupHierarchy.all(membership: membership, mounts: mounts) }
}

@Suite struct CgroupHierarchyTests {
    @Test func unifiedMachineHasOneHierarchyAndThisProcessesPlaceInIt() {
        #expect(
            CgroupTexts.delegated.hierarchies == [
                CgroupHierarchy(
                    version: .v2, controllers: [], mountPoint: "/sys/fs/cgroup",
                    directory: "/sys/fs/cgroup/system.slice/nexusd.service", readOnly: false)
            ])
    }

    @Test func eachHierarchyOfVersionOneHasItsControllersAndItsOwnPath() {
        let all = CgroupTexts.v1.hierarchies
        #expect(all.map(\.controllers) == [["cpu", "cpuacct"], ["memory"], ["pids"], ["name=systemd"]])
        #expect(
            all.map(\.directory) == [
                "/sys/fs/cgroup/cpu,cpuacct/user.slice", "/sys/fs/cgroup/memory/user.slice/u", "/sys/fs/cgroup/pids",
                "/sys/fs/cgroup/systemd/user.slice",
            ])
    }

    @Test func hybridMachineHasBoth() {
        let all = CgroupTexts.hybrid.hierarchies
        #expect(all.map(\.version) == [.v1, .v1, .v1, .v2])
        #expect(all.last?.directory == "/sys/fs/cgroup/unified")
    }

    @Test func readOnlyMountsAreSeenAsSuch() {
        #expect(CgroupTexts.dockerReadOnly.hierarchies.map(\.readOnly) == [true])
        #expect(CgroupTexts.delegated.hierarchies.map(\.readOnly) == [false])
    }

    @Test func pathsAreTakenRelativeToWhatIsMounted() {
        #expect(
            CgroupTexts.dockerV1.hierarchies.map(\.directory)
                == ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids/sub"])
        var other = CgroupTexts.dockerV1
        other.membership = "4:memory:/docker/ab123\n3:pids:/../other\n"
        #expect(other.hierarchies.map(\.directory) == [nil, nil])
    }

    @Test func escapedBlanksInMountPointsAreDecoded() {
        let machine = CgroupTexts.Machine(
            membership: "0::/a\n", mounts: "1 2 0:3 / /mnt/my\\040cgroup rw - cgroup2 cgroup2 rw\n")
        #expect(machine.hierarchies.first?.directory == "/mnt/my cgroup/a")
    }

    @Test func textsThatMakeNoSenseGiveNothing() {
        for mounts in ["", "\n\n", "1 2 3", "- cgroup2", "1 2 0:3 / /m rw -", "1 2 0:3 / /m rw - cgroup2"] {
            #expect(CgroupHierarchy.all(membership: "0::/\n:::\nx", mounts: mounts).isEmpty, "\(mounts)")
        }
    }
}
