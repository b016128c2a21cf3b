// Where all numbers are kept: a backend of swift-metrics that writes them down for Prometheus. A family may have a
// bounded number of series; what would be one more is counted under the label value `other`, so that no name that a
// stranger can choose fills the memory of the host or of its monitoring.
internal import CoreMetrics
internal import Synchronization

/// A `MetricsFactory` with a text to read.
final class MetricRegistry: MetricsFactory {
    private enum Cell {
        case counter(CounterCell), gauge(GaugeCell), histogram(HistogramCell)
    }
    private struct Family {
        var kind: MetricFamily.Kind
        var help: String
        /// Units of an observation in one unit of the metric: 10⁹ for times, which are told in seconds.
        var scale: Int64
        /// By labels, as they are written.
        var series: [String: Cell] = [:]
    }
    private let families: Mutex<[String: Family]> = Mutex([:])
    private let known: [String: MetricFamily]

    init(_ families: [MetricFamily] = MetricFamily.all) {
        known = Dictionary(families.map { ($0.name, $0) }) { first, _ in first }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let cell = cell(label, dimensions, .counter) { .counter(CounterCell()) }
        if case .counter(let counter)? = cell { return counter }
        return CounterCell()
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions, scale: 1) : gauge(label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, scale: 1_000_000_000)
    }

    // Series stay until nexusd ends: a counter that begins again looks to Prometheus like one that was reset.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeCell {
        let cell = cell(label, dimensions, .gauge) { .gauge(GaugeCell()) }
        if case .gauge(let gauge)? = cell { return gauge }
        return GaugeCell()
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], scale: Int64) -> HistogramCell {
        // What others measure has units that are not known here: told as sum and count.
        let bounds = known[PrometheusText.name(label)] == nil ? [] : MetricFamily.bounds
        let cell = cell(label, dimensions, .histogram, scale: scale) { .histogram(HistogramCell(bounds: bounds)) }
        if case .histogram(let histogram)? = cell { return histogram }
        return HistogramCell(bounds: bounds)
    }

    /// The series with these labels; nil where the name is taken by a metric of another kind, which stays out of sight.
    private func cell(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind, scale: Int64 = 1,
        make: () -> Cell
    ) -> Cell? {
        let name = PrometheusText.name(label)
        return families.withLock { families in
            var family =
                families[name] ?? Family(kind: kind, help: known[name]?.help ?? "", scale: scale)
            guard family.kind == kind, family.scale == scale else { return nil }
            var key = PrometheusText.labels(dimensions)
            if family.series[key] == nil, family.series.count >= HostLimits.metricSeries {
                key = PrometheusText.labels(dimensions.map { ($0.0, "other") })
            }
            if let cell = family.series[key] { return cell }
            let cell = make()
            family.series[key] = cell
            families[name] = family
            return cell
        }
    }

    /// Everything, sorted by name and labels.
    ///
    /// - Parameter gauges: what is not kept here but asked of others now.
    func text(gauges: [(family: MetricFamily, samples: [(labels: [String], value: Int64)])] = []) -> String {
        var text = PrometheusText()
        for (family, samples) in gauges where !samples.isEmpty {
            text.family(family.name, family.kind, help: family.help)
            for (labels, value) in samples {
                text.sample(family.name, PrometheusText.labels(Array(zip(family.labels, labels))), "\(value)")
            }
        }
        for (name, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            text.family(name, family.kind, help: family.help)
            for (labels, cell) in family.series.sorted(by: { $0.key < $1.key }) {
                switch cell {
                case .counter(let counter): text.sample(name, labels, "\(counter.value)")
                case .gauge(let gauge): text.sample(name, labels, "\(gauge.value)")
                case .histogram(let histogram): text.histogram(name, labels, histogram, scale: family.scale)
                }
            }
        }
        return text.text
    }
}
