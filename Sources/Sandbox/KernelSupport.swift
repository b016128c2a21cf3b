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

    /// Asks the kernel. Creates two short-lived children in new namespaces; takes a few milliseconds.
    public static func probe() -> KernelSupport {
        let facts = MachineFacts.ofThisMachine()
        return KernelSupport(
            landlockABI: max(0, Int(facts.landlock)),
            layers: MachineDiagnosis(facts: facts).layers(and: [denials(), cgroups()]),
            reportsDenials: cjail_listener_available() > 0)
    }

    /// The kernel without asking for more than versions: enough to compile a plan.
    static func forPlans() -> KernelSupport {
        KernelSupport(
            landlockABI: max(0, Int(cjail_landlock_abi())), reportsDenials: cjail_listener_available() > 0)
    }

    /// What to do where a jail could not get its namespaces.
    static func namespaceRemedy(_ number: Int32) -> String {
        var facts = MachineFacts()
        facts.user = geteuid()
        facts.readTexts()
        return MachineDiagnosis(facts: facts).namespaceRemedy(number)
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
