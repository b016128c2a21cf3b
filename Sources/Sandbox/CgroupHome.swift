// A launcher's own directories: made before it starts, given to it by argv, removed when it has ended. Below them it
// makes one a jail. What a killed host left is swept by the next one.
import CJail
import Glibc
import Synchronization

/// Directories named `nexus-PID-START-N`: PID and START say whose they are (proc_pid_stat(5), field 22).
final class CgroupHome: Sendable {
    let bounds: CgroupBounds
    /// For nexus-jail.
    let arguments: [String]
    private let directories: [String]
    private static let next = Mutex(0)
    private static let removalAttempts = 50

    /// Makes what can be made; a resource whose directory cannot is left out and says why.
    convenience init(_ placement: CgroupPlacement) {
        let name = Self.name()
        var bounds = CgroupBounds(missing: placement.obstacles.mapValues { "\($0.evidence); \($0.remedy)" })
        var arguments: [String] = []
        var made: [String] = []
        if let base = placement.lifecycle {
            let wanted = placement.places.filter { $0.value.version == .v2 }.keys
            do throws(JailError) {
                let home = try Self.make(name, in: base, made)
                made.append(home)
                if !wanted.isEmpty { try Self.enable(wanted, in: base, home: home, leaf: placement.leaf) }
                arguments += ["--cgroup2", home]
                bounds.holdsLife = true
                for resource in wanted { bounds.versions[resource] = .v2 }
            } catch {
                for resource in wanted { bounds.missing[resource] = error.message }
            }
        }
        for resource in CgroupResource.allCases {
            guard let place = placement.places[resource], place.version == .v1 else { continue }
            do throws(JailError) {
                let home = try Self.make(name, in: place.directory, made)
                made.append(home)
                arguments += ["--cgroup-\(resource.rawValue)", home]
                bounds.versions[resource] = .v1
            } catch { bounds.missing[resource] = error.message }
        }
        self.init(bounds: bounds, arguments: arguments, directories: made)
    }

    init(bounds: CgroupBounds, arguments: [String], directories: [String]) {
        (self.bounds, self.arguments, self.directories) = (bounds, arguments, directories)
    }

    /// Removes the directories; retries for about a second, because the kernel lets go of them late. Blocks.
    func remove() {
        Self.removeAll(directories)
    }

    // MARK: Directories

    private static func name() -> String {
        let number = next.withLock { next in
            next += 1
            return next
        }
        return "nexus-\(getpid())-\(startOf(getpid()) ?? 0)-\(number)"
    }

    private static func make(_ name: String, in base: String, _ made: [String]) throws(JailError) -> String {
        let path = "\(base)/\(name)"
        // Two controllers can share a hierarchy.
        if made.contains(path) { return path }
        sweep(base)
        guard mkdir(path, 0o755) == 0 else { throw .system("cgroup \(path) could not be made", errno) }
        return path
    }

    /// cgroups(7), "cgroups v2 no internal processes rule": this process moves to a leaf first where it must.
    private static func enable(
        _ resources: some Collection<CgroupResource>, in base: String, home: String, leaf: String?
    ) throws(JailError) {
        do throws(JailError) {
            if let leaf {
                guard mkdir(leaf, 0o755) == 0 || errno == EEXIST else {
                    throw .system("cgroup \(leaf) could not be made", errno)
                }
                try write("0", to: "\(leaf)/cgroup.procs")
            }
            for directory in [base, home] {
                for resource in resources { try write("+\(resource)", to: "\(directory)/cgroup.subtree_control") }
            }
        } catch {
            rmdir(home)
            throw error
        }
    }

    private static func write(_ text: String, to path: String) throws(JailError) {
        let fd = open(path, O_WRONLY | O_CLOEXEC)
        let written = fd < 0 ? -1 : Glibc.write(fd, text, text.utf8.count)
        let number = errno
        if fd >= 0 { close(fd) }
        guard written == text.utf8.count else { throw .system("\"\(text)\" could not be written to \(path)", number) }
    }

    // MARK: What others left

    /// Removes the directories of hosts that are gone. What is still busy is tried again for a second at most.
    static func sweep(_ base: String) {
        let stale = entries(base).filter { entry in
            let parts = entry.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "nexus", let pid = Int32(parts[1]), let start = UInt64(parts[2])
            else { return false }
            return startOf(pid) != start
        }
        removeAll(stale.map { "\(base)/\($0)" })
    }

    private static func removeAll(_ homes: [String]) {
        for attempt in 0..<removalAttempts {
            if attempt > 0 { usleep(20_000) }
            if !homes.map(removeTree).contains(EBUSY) { return }
        }
    }

    /// Removes a home and the directories of its jails: 0, or the errno.
    private static func removeTree(_ path: String) -> Int32 {
        if rmdir(path) == 0 { return 0 }
        for entry in entries(path) where entry.allSatisfy(\.isNumber) { rmdir("\(path)/\(entry)") }
        return rmdir(path) == 0 ? 0 : errno
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    /// When a process began, in clock ticks after boot; nil when there is none.
    static func startOf(_ pid: Int32) -> UInt64? {
        guard let text = KernelText.read("/proc/\(pid)/stat"), let name = text.lastIndex(of: ")") else { return nil }
        // The name may hold blanks; behind it come the fields from the third on.
        let fields = text[name...].split(separator: " ").dropFirst()
        return fields.dropFirst(19).first.flatMap { UInt64($0) }
    }
}

extension CgroupPlacement {
    /// Reads /proc and asks for access(2). Nothing is changed.
    public static func ofThisMachine() -> CgroupPlacement {
        let membership = KernelText.read("/proc/self/cgroup") ?? ""
        let mounts = KernelText.read("/proc/self/mountinfo") ?? ""
        let systemd = access("/run/systemd/system", F_OK) == 0
        return CgroupPlacement(CgroupHierarchy.all(membership: membership, mounts: mounts)) { path in
            guard access(path, F_OK) == 0 else { return nil }
            let words = { (file: String) in
                Set((KernelText.read("\(path)/\(file)") ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
            }
            // To root everything is writable: there systemd's mark tells what is meant for others (file-hierarchy(7)).
            let v2 = access("\(path)/cgroup.controllers", F_OK) == 0
            let marked = ["trusted.delegate", "user.delegate"].contains { (name: String) in
                getxattr(path, name, nil, 0) > 0
            }
            return CgroupDirectory(
                writable: access(path, W_OK) == 0 && access("\(path)/cgroup.procs", W_OK) == 0,
                managed: v2 && systemd && geteuid() == 0 && !marked, available: words("cgroup.controllers"),
                enabled: words("cgroup.subtree_control"))
        }
    }
}

/// Small files of /proc and /sys.
enum KernelText {
    /// The whole text; nil when it cannot be opened.
    static func read(_ path: String) -> String? {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(fd, &bytes, bytes.count)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += bytes.prefix(count)
        }
    }
}
