import PluginABI
import Sandbox
import Testing

@testable import HostCore

@Suite struct HostMetricsTests {
    private let metrics = HostMetrics()

    private func text() -> String { String(decoding: metrics.text([]), as: UTF8.self) }

    @Test func codesThatPluginsMakeUpAreOneOutcome() {
        for code in ["sample.one", "sample.two", "[redacted]", "", "Ünicode", String(repeating: "a", count: 41)] {
            metrics.called("sample", "sample_echo", outcome: code, nanoseconds: 1)
        }
        metrics.called("sample", "sample_echo", outcome: "plugin-failed", nanoseconds: 1)
        metrics.called(nil, nil, outcome: "unknown-tool", nanoseconds: 1)
        let text = text()
        #expect(text.contains(#"nexus_calls_total{plugin="sample",tool="sample_echo",outcome="plugin-own"} 6"#))
        #expect(text.contains(#"outcome="plugin-failed"} 1"#))
        #expect(text.contains(#"nexus_calls_total{plugin="",tool="",outcome="unknown-tool"} 1"#))
        #expect(text.contains(#"nexus_call_seconds_count{plugin="sample"} 7"#))
    }

    @Test func handlesAreBoundedAsTheSeriesAre() {
        for number in 0..<(HostLimits.metricSeries + 10) {
            metrics.called("p\(number)", "t", outcome: "ok", nanoseconds: 1)
        }
        #expect(text().contains(#"nexus_calls_total{plugin="other",tool="other",outcome="other"} 10"#))
        #expect(text().contains(#"nexus_call_seconds_count{plugin="other"} 10"#))
    }

    @Test func everyFamilyOfTheTableIsWrittenUnderItsName() {
        metrics.called("p", "t", outcome: "ok", nanoseconds: 1)
        for stage in CallStage.allCases { metrics.spent(1, in: stage) }
        metrics.started("p", after: 1)
        metrics.didNotStart("p")
        metrics.builtJail(after: 1)
        metrics.ended("p#1", of: "p", .exited)
        metrics.served("http.fetch", for: "p", outcome: "ok")
        metrics.carried(for: "p", out: 1, in: 2)
        metrics.appended(after: 1)
        metrics.denied(
            Denial(
                plugin: "p", instance: "p#1", requestID: nil, what: "w", rule: "r", reason: "r", permission: nil,
                command: nil))
        let entry = InstanceEntry(
            plugin: "p", version: "1", instance: "p#1", servedFor: "alice", state: "ready", processID: nil,
            callsOpen: 0, callsServed: 0, started: 0, lastUsed: 0, memoryLimitBytes: 1)
        var row = LedgerEntry(entry, meter: nil)
        row.memoryBytes = 4_096
        let text = String(decoding: metrics.text([row, row]), as: UTF8.self)
        for family in MetricFamily.all {
            #expect(
                text.contains("# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"))
        }
        #expect(text.contains(#"nexus_instances{plugin="p",state="ready"} 2"#))
        #expect(text.contains(#"nexus_plugin_memory_bytes{plugin="p"} 8192"#))
        // Whose instance it is stays out of the metrics.
        #expect(!text.contains("alice"))
    }

    @Test func aMeterLivesAsLongAsItsInstance() {
        let meter = metrics.meter(of: "p#1", plugin: "p", jail: "strict")
        #expect(metrics.meter(of: "p#1") === meter)
        meter.ended(HostError(.pluginFailed, "gone"))
        #expect(metrics.meter(of: "p#1") == nil)
        #expect(text().contains(#"nexus_instance_ends_total{plugin="p",cause="protocol"} 1"#))
    }
}
