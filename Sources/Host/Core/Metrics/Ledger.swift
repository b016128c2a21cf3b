internal import Sandbox

/// One running instance with what it costs and what it did: a line of `nexus top`.
public struct LedgerEntry: Sendable {
    public var instance: InstanceEntry
    /// Nil where it cannot be read.
    public var memoryBytes: UInt64?
    /// `cgroup` or `resident`: what the number counts (`JailMemory.Source`).
    public var memoryIs: String?
    /// The jail's profile.
    public var jail: String?
    public var calls = 0
    public var failures = 0
    public var denials = 0
    public var bytesIn = 0
    public var bytesOut = 0
    public var lateFrames = 0
    /// Of the time that calls spent in the plugin, in microseconds; nil before the first.
    public var median: Int?
    public var percentile99: Int?

    init(_ instance: InstanceEntry, meter: InstanceMeter?) {
        self.instance = instance
        let memory = instance.processID.flatMap { JailMemory(ofJail: $0) }
        (memoryBytes, memoryIs) = (memory?.bytes, memory?.source.rawValue)
        guard let meter else { return }
        jail = meter.jail
        let counts = meter.value
        (calls, failures, denials) = (counts.calls, counts.failures, counts.denials)
        (bytesIn, bytesOut, lateFrames) = (counts.bytesIn, counts.bytesOut, counts.lateFrames)
        median = meter.latency(atShare: 0.5)
        percentile99 = meter.latency(atShare: 0.99)
    }
}

extension HostMetrics {
    /// Every instance, sorted by plugin and instance.
    public func ledger(of supervisor: Supervisor) async -> [LedgerEntry] {
        await supervisor.ledger().map { LedgerEntry($0, meter: meter(of: $0.instance)) }
    }
}
