import CoreMetrics
import Testing

@testable import HostCore

@Suite struct MetricRegistryTests {
    private let registry = MetricRegistry([
        MetricFamily(name: "t_seconds", kind: .histogram, help: "Times.", labels: ["stage"])
    ])

    private func lines() -> [String] { registry.text().split(separator: "\n").map(String.init) }

    @Test func seriesOfAFamilyStandTogetherBelowItsType() {
        Counter(label: "b_total", dimensions: [("x", "2")], factory: registry).increment(by: 3)
        Counter(label: "b_total", dimensions: [("x", "1")], factory: registry).increment()
        Counter(label: "b_total", dimensions: [("x", "2")], factory: registry).increment()
        Counter(label: "a_total", factory: registry).increment()
        #expect(
            lines() == [
                "# TYPE a_total counter", "a_total 1", "# TYPE b_total counter", "b_total{x=\"1\"} 1",
                "b_total{x=\"2\"} 4",
            ])
    }

    @Test func timesAreToldInSecondsWithCumulativeBuckets() {
        let timer = registry.makeTimer(label: "t_seconds", dimensions: [("stage", "policy")])
        for nanoseconds: Int64 in [5_000, 5_001, 2_000_000_000, 61_000_000_000] { timer.recordNanoseconds(nanoseconds) }
        let text = registry.text()
        #expect(text.hasPrefix("# HELP t_seconds Times.\n# TYPE t_seconds histogram\n"))
        for line in [
            "_bucket{stage=\"policy\",le=\"0.000005\"} 1", "_bucket{stage=\"policy\",le=\"0.00001\"} 2",
            "_bucket{stage=\"policy\",le=\"2.5\"} 3", "_bucket{stage=\"policy\",le=\"60\"} 3",
            "_bucket{stage=\"policy\",le=\"+Inf\"} 4", "_sum{stage=\"policy\"} 63.000010001",
            "_count{stage=\"policy\"} 4",
        ] {
            #expect(text.contains("\nt_seconds\(line)\n"), "\(line): \(text)")
        }
    }

    @Test func namesThatStrangersChooseFillNoMemory() {
        for number in 0..<(HostLimits.metricSeries + 500) {
            Counter(label: "c_total", dimensions: [("tool", "t\(number)")], factory: registry).increment()
        }
        #expect(lines().count == HostLimits.metricSeries + 2)
        #expect(lines().contains("c_total{tool=\"other\"} 500"))
    }

    @Test func aNameOfAnotherKindIsKeptOutOfTheText() {
        Counter(label: "d", factory: registry).increment()
        Gauge(label: "d", factory: registry).record(7)
        registry.makeTimer(label: "d", dimensions: []).recordNanoseconds(1)
        #expect(lines() == ["# TYPE d counter", "d 1"])
    }

    @Test func whatOthersMeasureIsTakenAsItComes() {
        Meter(label: "pool.size", factory: registry).set(3)
        Meter(label: "pool.size", factory: registry).increment(by: 2)
        Recorder(label: "sizes", factory: registry).record(10)
        #expect(
            lines() == [
                "# TYPE pool_size gauge", "pool_size 5.0", "# TYPE sizes histogram", "sizes_bucket{le=\"+Inf\"} 1",
                "sizes_sum 10", "sizes_count 1",
            ])
    }

    @Test func manyThreadsCountEveryObservation() async {
        let counter = Counter(label: "e_total", factory: registry)
        let timer = registry.makeTimer(label: "t_seconds", dimensions: [("stage", "plugin")])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        timer.recordNanoseconds(1)
                    }
                }
            }
        }
        #expect(lines().contains("e_total 8000") && lines().contains("t_seconds_count{stage=\"plugin\"} 8000"))
    }
}
