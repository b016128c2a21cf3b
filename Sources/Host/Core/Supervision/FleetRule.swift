internal import PluginABI

/// How many processes one version of a plugin has, and how many calls each serves at once: what its manifest says, and
/// an administrator's settings.
struct FleetRule: Sendable, Equatable {
    var isolation: PluginManifest.Isolation
    /// Calls in one process at once.
    var concurrency: Int
    /// Processes at once; what is ending does not count.
    var instances: Int
    /// Started processes that are kept ready for whom nobody has called yet.
    var warm: Int
    /// A process that served nobody for so long is stopped.
    var idleMilliseconds: UInt64
    /// Calls that wait, of all callers together.
    var queued: Int
    /// What one process may take, by its limit.
    var memoryBytes: UInt64

    /// - Parameter isolation: as it holds here, if that is not what the manifest says.
    init(
        _ manifest: PluginManifest, _ settings: PluginSettings? = nil, isolation: PluginManifest.Isolation? = nil
    ) {
        self.isolation = isolation ?? manifest.isolation
        concurrency = self.isolation == .perCall ? 1 : manifest.concurrency
        switch self.isolation {
        case .shared: instances = 1
        case .perUser: instances = settings?.instances ?? HostLimits.perUserInstances
        case .perCall: instances = settings?.instances ?? HostLimits.perCallInstances
        }
        warm = settings?.warm ?? (self.isolation == .perCall ? HostLimits.warmInstances : 0)
        idleMilliseconds = settings?.idleSeconds.map { UInt64($0) * 1_000 } ?? HostLimits.idleMilliseconds
        queued = settings?.queued ?? HostLimits.queuedCalls
        let megabytes = manifest.permissions.resources.memoryMegabytes
        memoryBytes = UInt64(megabytes ?? HostLimits.instanceMegabytes) << 20
    }
}

/// What all plugin processes of a host may take together.
public struct HostBudget: Sendable, Equatable {
    /// Plugin processes, those that wait for a call included.
    public var processes: Int
    /// The sum of the processes' memory limits.
    public var memoryBytes: UInt64

    public init(processes: Int, memoryBytes: UInt64) {
        self.processes = processes
        self.memoryBytes = memoryBytes
    }

    public static let standard = HostBudget(
        processes: HostLimits.processes, memoryBytes: UInt64(HostLimits.memoryMegabytes) << 20)
}
