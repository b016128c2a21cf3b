internal import CoreMetrics
internal import Sandbox
internal import Synchronization

/// What one instance did, for `nexus top`, and for its plugin's counters at the same time.
final class InstanceMeter: Sendable {
    private let id: String
    let jail: String
    private let name: String
    private let plugin: PluginMetrics
    private let metrics: HostMetrics
    private let counts = Mutex(Counts())
    private let latency = LatencyHistogram()
    private let end = Mutex<(process: JailEnd?, wasStopped: Bool)>((nil, false))
    let started = Clock.unixMilliseconds()

    struct Counts: Sendable, Equatable {
        /// Calls that the plugin gave an answer to, or that ended while it had them.
        var calls = 0
        var failures = 0
        var denials = 0
        var bytesIn = 0
        var bytesOut = 0
        var lateFrames = 0
    }

    init(_ id: String, of name: String, jail: String, _ metrics: HostMetrics) {
        self.id = id
        self.jail = jail
        self.name = name
        plugin = metrics.plugin(name)
        self.metrics = metrics
    }

    var value: Counts { counts.withLock { $0 } }

    /// See `LatencyHistogram`: of the time in the plugin, in microseconds.
    func latency(atShare share: Double) -> Int? { latency.microseconds(atShare: share) }

    func answered(after nanoseconds: Int64, failed: Bool) {
        latency.record(nanoseconds: nanoseconds)
        counts.withLock { counts in
            counts.calls += 1
            if failed { counts.failures += 1 }
        }
    }

    /// - Parameter lateFrames: of the instance's whole life.
    func received(_ bytes: Int, lateFrames: Int) {
        plugin.received.increment(by: bytes)
        let late = counts.withLock { counts in
            counts.bytesIn += bytes
            defer { counts.lateFrames = lateFrames }
            return lateFrames - counts.lateFrames
        }
        if late > 0 { plugin.lateFrames.increment(by: late) }
    }

    func sent(_ bytes: Int) {
        plugin.sent.increment(by: bytes)
        counts.withLock { $0.bytesOut += bytes }
    }

    /// The host is about to ask it to go.
    func willStop() { end.withLock { $0.wasStopped = true } }

    /// How its process ended, where that was told in time.
    func saw(_ process: JailEnd?) { end.withLock { $0.process = process } }

    /// - Parameter cause: that callers are given.
    func ended(_ cause: HostError) {
        let (process, wasStopped) = end.withLock { $0 }
        metrics.ended(id, of: name, InstanceEnd(process, cause: cause, wasStopped: wasStopped))
    }

    func denied(_ denial: Denial) {
        metrics.denied(denial)
        counts.withLock { $0.denials += 1 }
    }
}
