// What this kernel can do for a jail, found by asking it. `nexus doctor` prints it; the compiler takes from it only
// what changes a plan. Each finding carries the kernel's own answer and what to do about it.
import CJail
import Glibc
public import JSONBytes

/// One layer as the kernel offers it.
public struct KernelLayer: Sendable, Equatable {
    public enum State: String, Sendable { case available, unavailable, refused }
    public let name: String
    /// Without it no jail of the `strict` profile starts.
    public let required: Bool
    public let state: State
    /// What the kernel answered: an errno, a version, a sysctl.
    public let evidence: String
    /// What to do; empty when there is nothing to do.
    public let remedy: String
}

/// The kernel's side of the jail.
public struct KernelSupport: Sendable, Equatable {
    /// 0 where Landlock is not available.
    public let landlockABI: Int
    public let layers: [KernelLayer]
    /// A filter can ask the host for its answer: seccomp_unotify(2), Linux 5.0.
    public let reportsDenials: Bool

    public init(landlockABI: Int, layers: [KernelLayer] = [], reportsDenials: Bool = true) {
        self.landlockABI = landlockABI
        self.reportsDenials = reportsDenials
        self.layers = layers
    }

    /// True when every required layer is available.
    public var meetsStrict: Bool { layers.allSatisfy { !$0.required || $0.state == .available } }

    /// Asks the kernel. Creates one short-lived child in new namespaces; takes about 2 ms.
    public static func probe() -> KernelSupport {
        let landlock = cjail_landlock_abi()
        return KernelSupport(
            landlockABI: max(0, Int(landlock)),
            layers: [
                namespaces(), seccomp(), self.landlock(landlock), mountCalls(), denials(), cgroups(),
            ], reportsDenials: cjail_listener_available() > 0)
    }

    /// The kernel without asking for more than versions: enough to compile a plan.
    static func forPlans() -> KernelSupport {
        KernelSupport(
            landlockABI: max(0, Int(cjail_landlock_abi())), reportsDenials: cjail_listener_available() > 0)
    }

    private static func namespaces() -> KernelLayer {
        let answer = cjail_user_namespace_works()
        let works = answer > 0
        return KernelLayer(
            name: "namespaces", required: true, state: works ? .available : .refused,
            evidence: works ? "clone into six namespaces works" : ErrnoName.describe(-answer),
            remedy: works ? "" : namespaceRemedy(-answer))
    }

    static func namespaceRemedy(_ number: Int32) -> String {
        if number == ENOSPC { return "raise user.max_user_namespaces with sysctl" }
        if readFile("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")?.hasPrefix("1") == true {
            return "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns=1): "
                + "load a profile for nexus-jail that allows userns"
        }
        if readFile("/proc/sys/kernel/unprivileged_userns_clone")?.hasPrefix("0") == true {
            return "set kernel.unprivileged_userns_clone=1 with sysctl"
        }
        return "a container's seccomp profile may forbid user namespaces: allow clone and unshare in it"
    }

    private static func seccomp() -> KernelLayer {
        let answer = cjail_seccomp_available()
        return KernelLayer(
            name: "seccomp", required: true, state: answer > 0 ? .available : .unavailable,
            evidence: answer > 0 ? "SECCOMP_RET_KILL_PROCESS is known" : ErrnoName.describe(-answer),
            remedy: answer > 0 ? "" : "use a kernel with CONFIG_SECCOMP_FILTER")
    }

    private static func landlock(_ answer: Int32) -> KernelLayer {
        KernelLayer(
            name: "landlock", required: true, state: answer > 0 ? .available : .unavailable,
            evidence: answer > 0 ? "ABI \(answer)" : ErrnoName.describe(-answer),
            remedy: answer > 0 ? "" : "use Linux 5.13 or later, with landlock in the kernel's lsm= list")
    }

    private static func mountCalls() -> KernelLayer {
        // Invalid on purpose: EBADF or EINVAL say that mount_setattr(2) exists, ENOSYS that it does not.
        let exists = cjail_mount_setattr_exists() > 0
        return KernelLayer(
            name: "mounts", required: true, state: exists ? .available : .unavailable,
            evidence: exists ? "mount_setattr exists" : "ENOSYS", remedy: exists ? "" : "use Linux 5.12 or later")
    }

    private static func denials() -> KernelLayer {
        let answer = cjail_listener_available()
        return KernelLayer(
            name: "denials", required: false, state: answer > 0 ? .available : .unavailable,
            evidence: answer > 0 ? "SECCOMP_RET_USER_NOTIF is known" : ErrnoName.describe(-answer),
            remedy: answer > 0 ? "" : "use Linux 5.0 or later to be told of refused calls; they are refused anyway")
    }

    /// Optional as a layer, and required for a bound on a whole jail's memory.
    private static func cgroups() -> KernelLayer {
        let placement = CgroupPlacement.ofThisMachine()
        let evidence = CgroupResource.allCases.map { resource in
            if let place = placement.places[resource] {
                return "\(resource): \(place.version.rawValue) at \(place.directory)"
            }
            return "\(resource): \(placement.obstacles[resource]?.evidence ?? "none")"
        }
        let remedies = CgroupResource.allCases.compactMap { placement.obstacles[$0]?.remedy }
        let usable = placement.places[.memory] != nil && placement.places[.pids] != nil
        return KernelLayer(
            name: "cgroup", required: false, state: usable ? .available : .unavailable,
            evidence: evidence.joined(separator: ", "),
            remedy: usable ? "" : "without it memory is bounded for each process only: \(remedies.first ?? "")")
    }

    private static func readFile(_ path: String) -> String? {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(fd, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

extension KernelSupport {
    public var json: JSONValue {
        .array(
            layers.map { layer in
                [
                    "layer": .string(layer.name), "required": .bool(layer.required),
                    "state": .string(layer.state.rawValue), "evidence": .string(layer.evidence),
                    "remedy": .string(layer.remedy),
                ]
            })
    }

    /// One line per layer.
    public var text: String {
        layers.map { layer in
            let need = layer.required ? "required" : "optional"
            let remedy = layer.remedy.isEmpty ? "" : " → \(layer.remedy)"
            return "\(layer.name): \(layer.state.rawValue) (\(need)), \(layer.evidence)\(remedy)"
        }.joined(separator: "\n")
    }
}
