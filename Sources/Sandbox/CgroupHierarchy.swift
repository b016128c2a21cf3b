// The machine's cgroups as /proc tells of them (cgroups(7)): a pure reading of two texts, so that every kind of machine
// can be a test. What may be done there is CgroupPlacement's question.

/// A cgroup file system that this process can see, and its own place in it.
struct CgroupHierarchy: Sendable, Equatable {
    var version: CgroupVersion
    /// Of v1, as the mount names them; of v2 the controllers are said by `cgroup.controllers` of each directory.
    var controllers: Set<String>
    var mountPoint: String
    /// Where this process is, as a path of the file system; nil when that is not below what is mounted.
    var directory: String?
    var readOnly: Bool

    /// - Parameters:
    ///   - membership: the text of `/proc/self/cgroup`.
    ///   - mounts: the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
    /// - Returns: one for each hierarchy that is mounted somewhere, in the order of the mounts.
    static func all(membership: String, mounts: String) -> [CgroupHierarchy] {
        var paths: [Set<String>: String] = [:]
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3 else { continue }
            paths[Set(parts[1].split(separator: ",").map(String.init))] = parts[2]
        }
        var found: [CgroupHierarchy] = []
        for line in mounts.split(separator: "\n") {
            guard let mount = Mount(line), mount.version == .v2 || !mount.controllers.isEmpty else { continue }
            // A file system may be mounted twice; the first mount is as good as any.
            let known = found.contains { $0.version == mount.version && $0.controllers == mount.controllers }
            guard !known, let path = paths[mount.controllers] else { continue }
            found.append(
                CgroupHierarchy(
                    version: mount.version, controllers: mount.controllers, mountPoint: mount.point,
                    directory: mount.directory(of: path), readOnly: mount.readOnly))
        }
        return found
    }

    private struct Mount {
        var version: CgroupVersion
        var controllers: Set<String> = []
        var root, point: String
        var readOnly: Bool

        /// Nil for a line about another file system.
        init?(_ line: Substring) {
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count >= dash + 4 else { return nil }
            switch fields[dash + 1] {
            case "cgroup": version = .v1
            case "cgroup2": version = .v2
            default: return nil
            }
            (root, point) = (Self.decoded(fields[3]), Self.decoded(fields[4]))
            let options = fields[5].split(separator: ",") + fields[dash + 3].split(separator: ",")
            readOnly = options.contains("ro")
            // Among a v1 mount's options are its controllers; nothing else that stands there is one.
            let others: Set<String> = ["rw", "ro", "xattr", "clone_children", "noprefix", "cpuset_v2_mode"]
            guard version == .v1 else { return }
            for option in fields[dash + 3].split(separator: ",").map(String.init)
            where !others.contains(option) && !option.hasPrefix("release_agent=") { controllers.insert(option) }
        }

        func directory(of path: String) -> String? {
            guard !path.split(separator: "/").contains("..") else { return nil }
            if root == "/" { return path == "/" ? point : point + path }
            guard path == root || path.hasPrefix("\(root)/") else { return nil }
            return point + path.dropFirst(root.count)
        }

        /// Blanks are written as octal escapes.
        static func decoded(_ text: String) -> String {
            var result = text
            for (escape, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
                result = result.split(separator: escape, omittingEmptySubsequences: false).joined(separator: character)
            }
            return result
        }
    }
}

/// cgroups(7) has two interfaces; a controller is in one of them at a time.
public enum CgroupVersion: String, Sendable, Equatable { case v1, v2 }
