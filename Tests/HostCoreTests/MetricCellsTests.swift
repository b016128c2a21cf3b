import Testing

@testable import HostCore

@Suite struct MetricCellsTests {
    @Test func aBoundBelongsToItsOwnBucket() {
        let cell = HistogramCell(bounds: [10, 20])
        for value: Int64 in [9, 10, 11, 20, 21, -4] { cell.record(value) }
        #expect(cell.value == HistogramCell.Counts(buckets: [3, 2, 1], sum: 71))
    }

    @Test func aCounterNeverFalls() {
        let cell = CounterCell()
        cell.increment(by: 5)
        cell.increment(by: -3)
        #expect(cell.value == 5)
    }
}
