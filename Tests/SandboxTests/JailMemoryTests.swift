import Glibc
import Testing

@testable import Sandbox

@Suite struct JailMemoryTests {
    private static let mounts = """
        30 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        31 20 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        """

    @Test func onlyADirectoryOfTheJailsOwnTellsItsMemory() {
        let file = { (membership: String, mounts: String) in JailMemory.file(membership: membership, mounts: mounts) }
        #expect(
            file("4:memory:/a/nexus-7-99-1/3\n0::/a\n", Self.mounts)
                == "/sys/fs/cgroup/memory/a/nexus-7-99-1/3/memory.usage_in_bytes")
        // The directory above belongs to all jails, and the one of the host to others.
        #expect(file("4:memory:/a/nexus-7-99-1\n", Self.mounts) == nil)
        #expect(file("4:memory:/user.slice/3\n", Self.mounts) == nil)
        #expect(file("", Self.mounts) == nil && file("4:memory:/nexus-7-99-1/3\n", "") == nil)
        let unified = "30 20 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
        #expect(file("0::/nexus-7-99-1/12\n", unified) == "/sys/fs/cgroup/nexus-7-99-1/12/memory.current")
    }

    @Test func withoutACgroupTheResidentPagesAreToldAndWithoutAProcessNothing() throws {
        let own = try #require(JailMemory(ofJail: getpid()))
        #expect(own.source == .resident && own.bytes > 1 << 20)
        #expect(JailMemory(ofJail: 0) == nil && JailMemory(ofJail: -1) == nil)
    }
}
