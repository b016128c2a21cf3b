public import JSONBytes

/// One layer as it was really applied.
public struct JailLayerState: Sendable, Equatable {
    public enum State: String, Sendable {
        case applied, unavailable
        case notUsed = "not used"
        case partial
    }
    public let name: String
    public let state: State
    public let detail: String

    public init(name: String, state: State, detail: String) {
        self.name = name
        self.state = state
        self.detail = detail
    }
}

/// What nexus-jail applied, in order, followed by what the host knows to be missing.
public struct JailReport: Sendable, Equatable {
    public let layers: [JailLayerState]

    public init(layers: [JailLayerState]) { self.layers = layers }

    public subscript(name: String) -> JailLayerState? { layers.first { $0.name == name } }

    public var json: JSONValue {
        .array(
            layers.map { layer in
                [
                    "layer": .string(layer.name), "state": .string(layer.state.rawValue),
                    "detail": .string(layer.detail),
                ]
            })
    }

    /// The bounds on a jail as a whole: with cgroups where there are some, else what setrlimit(2) comes to.
    static func closing(_ limits: JailLimits, _ bounds: CgroupBounds) -> [JailLayerState] {
        var layers: [JailLayerState] = []
        func add(_ name: String, _ state: JailLayerState.State, _ detail: String) {
            layers.append(JailLayerState(name: name, state: state, detail: detail))
        }
        let why = { (resource: CgroupResource) in bounds.missing[resource].map { "; \($0)" } ?? "" }
        if bounds.versions.isEmpty { add("cgroup", .notUsed, "limits are set with setrlimit") }
        let megabytes = limits.memoryBytes >> 20
        if let version = bounds.versions[.memory] {
            add("memory", .applied, "\(megabytes) MiB (cgroup \(version.rawValue), no swap)")
        } else {
            let all = megabytes * UInt64(limits.processes)
            let detail = "\(megabytes) MiB a process, \(all) MiB in all; memfd_create refused"
            add("memory", .partial, detail + why(.memory))
        }
        if let version = bounds.versions[.pids] {
            add("processes", .applied, "\(limits.processes) (cgroup \(version.rawValue))")
        } else {
            add("processes", .partial, "\(limits.processes), counted for a user of the jail" + why(.pids))
        }
        switch (limits.cpuPercent, bounds.versions[.cpu]) {
        case (nil, _): add("cpu", .notUsed, "no bound is asked for")
        case (let percent?, let version?): add("cpu", .applied, "\(percent) % (cgroup \(version.rawValue))")
        case (let percent?, nil): add("cpu", .unavailable, "\(percent) % asked for, not bounded" + why(.cpu))
        }
        return layers
    }

    /// Whether the host hears of refused calls. They are refused in any case.
    static func denials(error: Int32) -> JailLayerState {
        error == 0
            ? JailLayerState(name: "denials", state: .applied, detail: "refused calls are reported")
            : JailLayerState(
                name: "denials", state: .unavailable, detail: "not reported: \(ErrnoName.describe(error))")
    }

    /// Whether the host hears of paths that the jail does not have. The kernel's own record of what Landlock refuses
    /// would not help: it is never asked about a path that the mounts do not have.
    static func paths(shown: Bool, _ denials: JailLayerState) -> JailLayerState {
        guard shown else {
            return JailLayerState(
                name: "paths", state: .notUsed,
                detail: "not reported: a path that is not in the jail reaches the program as an errno only")
        }
        return denials.state == .applied
            ? JailLayerState(name: "paths", state: .applied, detail: "paths that are not in the jail are reported")
            : JailLayerState(name: "paths", state: .unavailable, detail: denials.detail)
    }
}

/// How the program in a jail ended.
public enum JailExit: Sendable, Equatable, CustomStringConvertible {
    case exited(code: Int32)
    case signalled(Int32)
    /// Init vanished without a report: it, nexus-jail or the whole jail was killed from outside.
    case lost

    public var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .signalled(31): "killed by signal 31 (SIGSYS: the system call filter)"
        case .signalled(let number): "killed by signal \(number)"
        case .lost: "lost: the jail was killed from outside"
        }
    }
}
