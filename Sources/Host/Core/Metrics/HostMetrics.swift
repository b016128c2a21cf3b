// What nexusd measures of itself, through swift-metrics. No principal, argument or secret is ever a label: labels are
// plugins, tools, stages, states and codes, all of them words of an administrator or of this code.
internal import CoreMetrics
internal import JSONBytes
internal import Sandbox
internal import Synchronization

/// The handles of all metrics, made before they are needed where it matters.
public final class HostMetrics: Sendable {
    private let registry: MetricRegistry
    private let stages: [CallStage: Timer]
    private let start: Timer
    private let jail: Timer
    private let audit: Timer
    /// A family and the values of its labels.
    private struct Series: Hashable {
        var family, first, second, third: String
    }
    private struct State {
        var plugins: [String: PluginMetrics] = [:]
        var counters: [Series: Counter] = [:]
        var meters: [String: InstanceMeter] = [:]
    }
    private let state = Mutex(State())

    public init() {
        let registry = MetricRegistry()
        self.registry = registry
        let stages = CallStage.allCases.map { ($0, Self.timer(.stageSeconds, [$0.rawValue], registry)) }
        self.stages = Dictionary(uniqueKeysWithValues: stages)
        start = Self.timer(.startSeconds, [], registry)
        jail = Self.timer(.jailSeconds, [], registry)
        audit = Self.timer(.auditSeconds, [], registry)
    }

    /// Has everything else in this process that uses swift-metrics measured here too. Once in a process.
    public func bootstrap() { MetricsSystem.bootstrap(registry) }

    // MARK: calls

    func spent(_ nanoseconds: Int64, in stage: CallStage) { stages[stage]?.recordNanoseconds(nanoseconds) }

    /// - Parameter plugin: and tool, nil where the call named a tool that there is not.
    func called(_ plugin: String?, _ tool: String?, outcome: String, nanoseconds: Int64) {
        count(.calls, plugin ?? "", tool ?? "", Self.label(ofCode: outcome))
        if let plugin { self.plugin(plugin).callSeconds.recordNanoseconds(nanoseconds) }
    }

    /// A code of the host's own or of the ABI; those that plugins make up are one.
    static func label(ofCode code: String) -> String {
        let isWord = code.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D }
        return isWord && (1...40).contains(code.utf8.count) ? code : "plugin-own"
    }

    // MARK: instances

    /// The handles of one plugin.
    func plugin(_ name: String) -> PluginMetrics {
        state.withLock { state in
            if let plugin = state.plugins[name] { return plugin }
            let plugin = PluginMetrics(
                callSeconds: Self.timer(.callSeconds, [name], registry),
                received: Self.counter(.pluginBytes, [name, "in"], registry),
                sent: Self.counter(.pluginBytes, [name, "out"], registry),
                lateFrames: Self.counter(.lateFrames, [name], registry))
            if state.plugins.count < HostLimits.metricSeries { state.plugins[name] = plugin }
            return plugin
        }
    }

    /// The meter of a new instance.
    ///
    /// - Parameter jail: its profile.
    func meter(of instance: String, plugin name: String, jail: String) -> InstanceMeter {
        let meter = InstanceMeter(instance, of: name, jail: jail, self)
        state.withLock { $0.meters[instance] = meter }
        return meter
    }

    /// Of an instance that has not ended.
    func meter(of instance: String) -> InstanceMeter? { state.withLock { $0.meters[instance] } }

    func builtJail(after nanoseconds: Int64) { jail.recordNanoseconds(nanoseconds) }

    func started(_ plugin: String, after nanoseconds: Int64) {
        start.recordNanoseconds(nanoseconds)
        count(.starts, plugin, "ok")
    }

    func didNotStart(_ plugin: String) { count(.starts, plugin, "failed") }

    func ended(_ instance: String, of plugin: String, _ cause: InstanceEnd) {
        count(.ends, plugin, cause.rawValue)
        state.withLock { $0.meters[instance] = nil }
    }

    // MARK: what plugins ask for

    func denied(_ denial: Denial) {
        count(.denials, denial.plugin, denial.service == Denial.systemCall ? "system-call" : denial.service)
    }

    /// - Parameter service: one that there is, or `unknown`.
    func served(_ service: String, for plugin: String, outcome: String) {
        count(.serviceCalls, plugin, service, Self.label(ofCode: outcome))
    }

    func carried(for plugin: String, out: Int, in received: Int) {
        count(.egressBytes, plugin, "out", by: out)
        count(.egressBytes, plugin, "in", by: received)
    }

    /// For `AuditLog`.
    public func appended(after nanoseconds: Int64) { audit.recordNanoseconds(nanoseconds) }

    // MARK: reading

    /// All metrics as Prometheus reads them.
    public func text(_ ledger: [LedgerEntry]) -> [UInt8] {
        var states: [[String]: Int64] = [:]
        var memory: [[String]: Int64] = [:]
        for entry in ledger {
            states[[entry.instance.plugin, entry.instance.state], default: 0] += 1
            if let bytes = entry.memoryBytes { memory[[entry.instance.plugin], default: 0] += Int64(bytes) }
        }
        let sorted = { (samples: [[String]: Int64]) in
            samples.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { (labels: $0.key, value: $0.value) }
        }
        return Array(registry.text(gauges: [(.instances, sorted(states)), (.memory, sorted(memory))]).utf8)
    }

    public static let contentType = PrometheusText.contentType

    private func count(
        _ family: MetricFamily, _ first: String, _ second: String, _ third: String = "", by amount: Int = 1
    ) {
        let series = Series(family: family.name, first: first, second: second, third: third)
        let counter = state.withLock { state in
            if let counter = state.counters[series] { return counter }
            let counter = Self.counter(family, [first, second, third], registry)
            // Beyond this the registry tells nothing apart, and remembers enough.
            if state.counters.count < HostLimits.metricSeries { state.counters[series] = counter }
            return counter
        }
        counter.increment(by: amount)
    }

    private static func counter(_ family: MetricFamily, _ values: [String], _ registry: MetricRegistry) -> Counter {
        Counter(label: family.name, dimensions: Array(zip(family.labels, values)), factory: registry)
    }

    private static func timer(_ family: MetricFamily, _ values: [String], _ registry: MetricRegistry) -> Timer {
        let dimensions = Array(zip(family.labels, values))
        return Timer(
            label: family.name, dimensions: dimensions,
            handler: registry.makeTimer(label: family.name, dimensions: dimensions), factory: registry)
    }
}

/// The handles of one plugin.
struct PluginMetrics: Sendable {
    var callSeconds: Timer
    var received: Counter
    var sent: Counter
    var lateFrames: Counter
}
