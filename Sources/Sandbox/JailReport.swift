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

    /// The layers that are bounds on a whole jail and that this version does not set.
    static func closing(_ limits: JailLimits) -> [JailLayerState] {
        let bound = (limits.memoryBytes >> 20) * UInt64(limits.processes)
        return [
            JailLayerState(name: "cgroup", state: .notUsed, detail: "limits are set with setrlimit"),
            JailLayerState(
                name: "memory", state: .partial,
                detail: "\(limits.memoryBytes >> 20) MiB a process, \(bound) MiB in all; memfd_create refused"),
        ]
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
