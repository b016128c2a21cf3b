// Where this machine lets jails be bounded as a whole: a pure decision from the hierarchies and what may be done with
// their directories. CgroupHome carries it out, and `nexus doctor` shows it.

/// What a cgroup bounds.
public enum CgroupResource: String, Sendable, CaseIterable { case memory, pids, cpu }

/// What may be done with a directory of a cgroup file system.
struct CgroupDirectory: Sendable, Equatable {
    /// Whether this process may make directories in it and move itself there.
    var writable: Bool
    /// systemd manages it and has not delegated it (its own rule: one writer for each directory).
    var managed = false
    /// Of v2: what could be enabled below it, and what is.
    var available: Set<String> = []
    var enabled: Set<String> = []
}

/// For each resource the directory below which jails get theirs, or why there is none.
public struct CgroupPlacement: Sendable, Equatable {
    struct Place: Sendable, Equatable {
        var version: CgroupVersion
        var directory: String
    }
    /// Why a resource is not bounded, and what to do.
    public struct Obstacle: Sendable, Equatable {
        public var evidence, remedy: String
    }

    var places: [CgroupResource: Place] = [:]
    /// Whether jails started here can be held to a share of a processor.
    public var boundsProcessorTime: Bool { places[.cpu] != nil }
    public var obstacles: [CgroupResource: Obstacle] = [:]
    /// A directory of v2 for the life of jails: they are born in it and killed by it, whatever bounds them.
    var lifecycle: String?
    /// Where this process has to move before `lifecycle` can enable controllers: a v2 directory that does holds no
    /// processes.
    var leaf: String?

    /// No cgroup at all: memory is bounded for each process.
    public static let none = CgroupPlacement()
    private static let leafName = "nexus-host"

    /// - Parameter directory: what may be done with a path; nil when it cannot be reached.
    init(_ hierarchies: [CgroupHierarchy], directory: (String) -> CgroupDirectory?) {
        let v2 = hierarchies.first { $0.version == .v2 }
        if let v2 { placeLifecycle(v2, directory) }
        for resource in CgroupResource.allCases {
            let v1 = hierarchies.first { $0.version == .v1 && $0.controllers.contains(resource.rawValue) }
            guard let hierarchy = v1 ?? v2 else {
                obstacles[resource] = Obstacle(
                    evidence: "no cgroup file system with \(resource.rawValue) is mounted",
                    remedy: "mount cgroup2 at /sys/fs/cgroup, or run the host on a kernel with cgroups")
                continue
            }
            if let obstacle = obstacle(hierarchy, resource, directory) {
                obstacles[resource] = obstacle
            } else if let base = v1 == nil ? lifecycle : hierarchy.directory {
                places[resource] = Place(version: hierarchy.version, directory: base)
            }
        }
        let needed = Set(places.filter { $0.value.version == .v2 }.map(\.key.rawValue))
        // Where everything is enabled already, nobody has to move.
        if needed.isEmpty || lifecycle.flatMap(directory)?.enabled.isSuperset(of: needed) == true { leaf = nil }
    }

    private init() {}

    /// The directory above ours when that is ours too and holds no processes (systemd's DelegateSubgroup=, or a move
    /// that an earlier host made), else our own.
    private mutating func placeLifecycle(_ hierarchy: CgroupHierarchy, _ directory: (String) -> CgroupDirectory?) {
        guard !hierarchy.readOnly, let own = hierarchy.directory else { return }
        let above = own.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }
        if own != hierarchy.mountPoint, let facts = directory(above), facts.writable, !facts.managed,
            !facts.enabled.isEmpty || own.hasSuffix("/\(Self.leafName)")
        {
            lifecycle = above
        } else if let facts = directory(own), facts.writable, !facts.managed {
            (lifecycle, leaf) = (own, "\(own)/\(Self.leafName)")
        }
    }

    private func obstacle(
        _ hierarchy: CgroupHierarchy, _ resource: CgroupResource, _ directory: (String) -> CgroupDirectory?
    ) -> Obstacle? {
        let name = resource.rawValue
        guard !hierarchy.readOnly else {
            return Obstacle(
                evidence: "\(hierarchy.mountPoint) is mounted read-only",
                remedy: "give the container a writable cgroup of its own, or run the host outside it")
        }
        guard let own = hierarchy.directory, let facts = directory(own) else {
            return Obstacle(
                evidence: "this process's cgroup is not below \(hierarchy.mountPoint)",
                remedy: "give the container a cgroup namespace (docker run --cgroupns=private)")
        }
        let base = hierarchy.version == .v1 ? own : lifecycle
        if hierarchy.version == .v2 {
            let offered = base.flatMap(directory) ?? facts
            guard offered.available.contains(name) || offered.enabled.contains(name) else {
                return Obstacle(
                    evidence: "\(base ?? own) has no \(name) controller",
                    remedy: "delegate it: Delegate=cpu memory pids in the unit, and no v1 mount of \(name)")
            }
        }
        if base == nil || (hierarchy.version == .v1 && !facts.writable) {
            let evidence = facts.managed ? "\(own) is systemd's, and not delegated" : "\(own) is not ours to write"
            return Obstacle(evidence: evidence, remedy: Self.delegate(hierarchy.version, own))
        }
        return nil
    }

    private static func delegate(_ version: CgroupVersion, _ own: String) -> String {
        version == .v2
            ? "start nexusd as a unit with Delegate=cpu memory pids, or with systemd-run --user -p Delegate=yes"
            : "let root make a directory there, give it to nexusd's user and start nexusd in it"
    }
}

extension CgroupPlacement {
    /// For a reviewer: what bounds a jail as a whole where this is run, and what does not.
    public var explanation: Explanation.Section {
        let without: [CgroupResource: String] = [
            .memory: "each process has the limit for itself, and all together that times the number of processes",
            .pids: "counted for the jail's user", .cpu: "not bounded",
        ]
        let entries = CgroupResource.allCases.map { resource in
            if let place = places[resource] {
                return Explanation.Entry(resource.rawValue, "the jail as a whole (cgroup \(place.version.rawValue))")
            }
            let why = obstacles[resource].map { "; \($0.evidence); \($0.remedy)" } ?? ""
            return Explanation.Entry(resource.rawValue, (without[resource] ?? "") + why)
        }
        return Explanation.Section("bounds on this machine", entries)
    }
}

/// What a launcher bounds for a jail as a whole, and how; empty where it has no cgroup.
public struct CgroupBounds: Sendable, Equatable {
    public var versions: [CgroupResource: CgroupVersion]
    /// Why a resource is not among them.
    public var missing: [CgroupResource: String]

    /// Jails are born in a directory of v2, whether or not it bounds anything.
    public var holdsLife: Bool

    public init(
        versions: [CgroupResource: CgroupVersion] = [:], missing: [CgroupResource: String] = [:],
        holdsLife: Bool = false
    ) {
        self.versions = versions
        self.missing = missing
        self.holdsLife = holdsLife
    }

    public static let none = CgroupBounds()

    /// The launcher has directories for jails, which have to enter.
    public var hasDirectories: Bool { holdsLife || !versions.isEmpty }

    public func bounds(_ resource: CgroupResource) -> Bool { versions[resource] != nil }
}
