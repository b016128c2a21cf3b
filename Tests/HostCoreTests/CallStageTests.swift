import Testing

@testable import HostCore

@Suite struct CallStageTests {
    @Test func stagesAddUpToTheCall() throws {
        let metrics = HostMetrics()
        var clock = StageClock(metrics)
        for stage in CallStage.allCases.dropFirst() {
            #expect(clock.inPlugin == nil || stage == .redact || stage == .auditOutcome)
            clock.enter(stage)
        }
        let whole = clock.finish()
        #expect(whole > 0 && clock.stage == .auditOutcome)
        #expect(try #require(clock.inPlugin) <= whole)
        let text = String(decoding: metrics.text([]), as: UTF8.self)
        for stage in CallStage.allCases {
            #expect(text.contains("nexus_call_stage_seconds_count{stage=\"\(stage.rawValue)\"} 1\n"), "\(stage)")
        }
        let sums = text.split(separator: "\n").filter { $0.hasPrefix("nexus_call_stage_seconds_sum") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        #expect(abs(sums.reduce(0, +) - Double(whole) / 1e9) < 1e-9)
    }
}
