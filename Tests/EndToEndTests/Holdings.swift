import Foundation

/// What nexusd and nexus-jail hold.
struct Holdings: Equatable {
    var processes, descriptors, directories: Int

    /// Nothing is left over; some descriptors come and go.
    func isNoMore(than before: Holdings) -> Bool {
        processes == before.processes && descriptors <= before.descriptors + 8
            && directories <= before.directories
    }
}

extension TestHost {
    /// Only root may count the descriptors of others that are not dumpable.
    func holdings() throws -> Holdings {
        let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count
        let found = try Program.run([
            "/usr/bin/find", "/sys/fs/cgroup", "-maxdepth", "8", "-path", "*/nexus-\(processID)-*/*", "-type", "d",
        ]).output
        return Holdings(
            processes: try self.descendants().count, descriptors: descriptors ?? 0,
            directories: found.split(separator: "\n").count)
    }
}
