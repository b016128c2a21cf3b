// Why a jail ended, in words for its admin: what init saw, and what the launcher read from the cgroups afterwards.

/// A limit that a jail met.
public enum JailCause: Sendable, Equatable {
    /// The kernel killed a process of it for memory; the jail's limit in bytes.
    case memoryLimit(UInt64)
    /// A process or thread more was refused; the jail's limit.
    case processLimit(UInt32)
    /// A file grew too large (SIGXFSZ); the limit in bytes.
    case fileLimit(UInt64)
    /// RLIMIT_CPU (SIGXCPU).
    case processorTime
}

/// How a jail ended, and the limit that had to do with it.
public struct JailEnd: Sendable, Equatable, CustomStringConvertible {
    public var exit: JailExit
    public var cause: JailCause?
    /// In how many periods of 100 ms it was held back by `JailLimits.cpuPercent`.
    public var throttledPeriods: Int

    init(exit: JailExit, cause: JailCause? = nil, throttledPeriods: Int = 0) {
        (self.exit, self.cause, self.throttledPeriods) = (exit, cause, throttledPeriods)
    }

    /// What the cgroups counted; nothing where there are none.
    struct Counters: Sendable, Equatable {
        var killedForMemory = 0
        var processesRefused = 0
        var throttledPeriods = 0
    }

    init(_ exit: JailExit, _ limits: JailLimits, _ counters: Counters) {
        let cause: JailCause? =
            switch exit {
            case _ where counters.killedForMemory > 0: .memoryLimit(limits.memoryBytes)
            case .signalled(25): .fileLimit(limits.fileBytes)
            case .signalled(24): .processorTime
            case .exited(code: 0): nil
            case _ where counters.processesRefused > 0: .processLimit(limits.processes)
            default: nil
            }
        self.init(exit: exit, cause: cause, throttledPeriods: counters.throttledPeriods)
    }

    public var description: String {
        switch (cause, exit) {
        case (nil, _): "\(exit)"
        case (.memoryLimit(let bytes), .signalled(9)), (.memoryLimit(let bytes), .lost):
            "killed: it exceeded its memory limit of \(Self.amount(bytes))"
        case (.memoryLimit(let bytes), _):
            "\(exit) after one of its processes was killed: it exceeded its memory limit of \(Self.amount(bytes))"
        case (.processLimit(let count), _): "\(exit), after it met its limit of \(count) processes and threads"
        case (.fileLimit(let bytes), _): "killed: it exceeded its limit of \(Self.amount(bytes)) for one file"
        case (.processorTime, _): "killed: it exceeded its processor time"
        }
    }

    static func amount(_ bytes: UInt64) -> String {
        bytes % (1 << 20) == 0 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
    }
}
