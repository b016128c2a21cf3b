import Testing

@testable import HostCore

@Suite struct InstanceMeterTests {
    private let metrics = HostMetrics()

    @Test func instanceAndPluginAreCountedTogether() {
        let meter = metrics.meter(of: "p#1", plugin: "p", jail: "strict")
        meter.received(100, lateFrames: 0)
        meter.received(50, lateFrames: 2)
        meter.received(1, lateFrames: 3)
        meter.sent(7)
        meter.answered(after: 2_000_000, failed: false)
        meter.answered(after: 4_000_000, failed: true)
        // Another instance of the plugin begins at zero, its plugin's counters go on.
        metrics.meter(of: "p#2", plugin: "p", jail: "strict").received(10, lateFrames: 1)
        var expected = InstanceMeter.Counts()
        (expected.calls, expected.failures, expected.bytesIn, expected.bytesOut) = (2, 1, 151, 7)
        expected.lateFrames = 3
        #expect(meter.value == expected)
        #expect(meter.latency(atShare: 0.5).map { (2_000...2_250).contains($0) } == true)
        let text = String(decoding: metrics.text([]), as: UTF8.self)
        #expect(text.contains(#"nexus_plugin_bytes_total{plugin="p",direction="in"} 161"#))
        #expect(text.contains(#"nexus_plugin_bytes_total{plugin="p",direction="out"} 7"#))
        #expect(text.contains(#"nexus_late_frames_total{plugin="p"} 4"#))
    }

    @Test func anInstanceThatWasToldToGoWasStopped() {
        let meter = metrics.meter(of: "p#1", plugin: "p", jail: "strict")
        meter.willStop()
        meter.ended(HostError(.deadlineExceeded, "it did not stop in time"))
        let text = String(decoding: metrics.text([]), as: UTF8.self)
        #expect(text.contains(#"nexus_instance_ends_total{plugin="p",cause="stopped"} 1"#))
    }
}
