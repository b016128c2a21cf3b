// What a jail costs in memory, read by a host that owns neither its processes nor its cgroup: only files that every
// user of the machine may read (cgroups(7), proc_pid_statm(5), proc_tid_children(5)).
import Glibc

/// The memory of one jail.
public struct JailMemory: Sendable, Equatable {
    public enum Source: String, Sendable {
        /// All that the kernel charges to the jail, its files and kernel memory included.
        case cgroup
        /// The resident pages of its processes; what they share with others is counted in full.
        case resident
    }
    public var bytes: UInt64
    public var source: Source

    public init(bytes: UInt64, source: Source) {
        self.bytes = bytes
        self.source = source
    }

    /// - Parameter processID: of the jail's init. Nil when it is gone or cannot be read.
    public init?(ofJail processID: Int32) {
        if let bytes = Self.charged(processID) {
            self.init(bytes: bytes, source: .cgroup)
        } else if let bytes = Self.resident(processID) {
            self.init(bytes: bytes, source: .resident)
        } else {
            return nil
        }
    }

    private static func charged(_ process: Int32) -> UInt64? {
        guard let membership = KernelText.read("/proc/\(process)/cgroup"),
            let mounts = KernelText.read("/proc/self/mountinfo"),
            let file = file(membership: membership, mounts: mounts)
        else { return nil }
        return KernelText.read(file).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// The file that tells it; nil where memory has no directory of the jail's own.
    static func file(membership: String, mounts: String) -> String? {
        let hierarchies = CgroupHierarchy.all(membership: membership, mounts: mounts)
        let v1 = hierarchies.first { $0.version == .v1 && $0.controllers.contains("memory") }
        guard let hierarchy = v1 ?? hierarchies.first(where: { $0.version == .v2 }),
            let directory = hierarchy.directory
        else { return nil }
        // CgroupHome's names: `nexus-PID-START-N`, and below it one directory for each jail.
        let names = directory.split(separator: "/").suffix(2)
        guard names.count == 2, names.first?.hasPrefix("nexus-") == true, names.last?.allSatisfy(\.isNumber) == true
        else { return nil }
        return "\(directory)/\(hierarchy.version == .v1 ? "memory.usage_in_bytes" : "memory.current")"
    }

    /// Of a process and all below it.
    private static func resident(_ process: Int32) -> UInt64? {
        guard let pages = KernelText.read("/proc/\(process)/statm")?.split(separator: " ").dropFirst().first,
            let own = UInt64(pages)
        else { return nil }
        let children = KernelText.read("/proc/\(process)/task/\(process)/children") ?? ""
        let below = children.split(separator: " ").compactMap { Int32($0) }.compactMap(resident)
        return below.reduce(own * UInt64(getpagesize()), +)
    }
}
