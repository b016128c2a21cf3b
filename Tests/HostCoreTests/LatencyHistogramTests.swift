import Testing

@testable import HostCore

@Suite struct LatencyHistogramTests {
    @Test func bucketsFollowEachOtherWithoutAGap() {
        var last = -1
        for value: UInt64 in 0..<100_000 {
            let index = LatencyHistogram.index(ofMicroseconds: value)
            #expect(index == last || index == last + 1)
            #expect(LatencyHistogram.upperEnd(of: index) >= value)
            if index > 0 { #expect(LatencyHistogram.upperEnd(of: index - 1) < value) }
            last = index
        }
    }

    @Test func percentilesAreAtMostAnEighthAboveTheTruth() throws {
        let histogram = LatencyHistogram()
        #expect(histogram.microseconds(atShare: 0.5) == nil)
        for value: Int64 in 1...10_000 { histogram.record(nanoseconds: value * 1_000) }
        for (share, truth) in [(0.5, 5_000.0), (0.99, 9_900), (1, 10_000)] {
            let told = Double(try #require(histogram.microseconds(atShare: share)))
            #expect((truth...truth * 1.125).contains(told), "\(share): \(told)")
        }
    }

    @Test func whatIsOutsideCountsAsTheNearest() {
        let histogram = LatencyHistogram()
        histogram.record(nanoseconds: -5)
        #expect(histogram.microseconds(atShare: 1) == 0)
        histogram.record(nanoseconds: .max)
        #expect(histogram.microseconds(atShare: 1).map { $0 > 100_000_000 } == true)
    }
}
