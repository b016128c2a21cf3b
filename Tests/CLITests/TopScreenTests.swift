import JSONBytes
import Testing

@testable import nexus

@Suite struct TopScreenTests {
    private func ledger(_ count: Int, state: String = "running") -> TopLedger {
        let instances = (0..<count).map { number -> JSONValue in
            [
                "instance": .string("a-plugin-with-a-long-name#\(number)"), "state": .string(state),
                "processID": 4_194_304, "jail": "strict", "memoryBytes": 1_073_741_823, "calls": 123_456_789,
                "medianMicroseconds": 999, "percentile99Microseconds": 60_000_000, "denials": 99_999,
            ]
        }
        return TopLedger(["instances": .array(instances)])
    }

    @Test(arguments: [(80, 24), (40, 10), (200, 50), (20, 3), (5, 1), (1, 1)])
    func nothingIsWiderOrLongerThanTheScreen(columns: Int, rows: Int) {
        let screen = TopScreen(columns: columns, rows: rows, hasColours: false)
        for count in [0, 1, 7, 100] {
            let lines = screen.lines(ledger(count), trouble: "nexusd in /home/of/somebody did not answer")
            #expect(lines.count <= rows && lines.allSatisfy { $0.count <= columns }, "\(lines)")
        }
    }

    @Test func narrowScreensKeepWhatMattersMost() {
        let titles = { TopScreen.fitting($0).map(\.title) }
        #expect(titles(40) == ["INSTANCE", "MEMORY", "CALLS", "P99"])
        #expect(
            titles(80) == ["INSTANCE", "STATE", "PID", "JAIL", "MEMORY", "CALLS", "P50", "P99", "DENIED", "/S"])
        #expect(titles(300) == TopScreen.all.map(\.title))
        for width in 1...300 {
            let chosen = TopScreen.fitting(width)
            #expect(chosen.map(\.width).reduce(chosen.count - 1, +) == width)
        }
    }

    @Test func whatDoesNotFitIsCounted() {
        let lines = TopScreen(columns: 80, rows: 10, hasColours: false).lines(ledger(20))
        #expect(lines.count == 10 && lines.last == "… 13 more")
        #expect(TopScreen(columns: 80, rows: 10, hasColours: false).lines(ledger(8)).count == 10)
    }

    @Test func onlyTroubleHasAColour() {
        let screen = TopScreen(columns: 80, rows: 10)
        #expect(!screen.lines(ledger(1)).joined().contains("\u{1B}[31m"))
        #expect(screen.lines(ledger(1, state: "failed"))[2].hasPrefix("\u{1B}[31m"))
        #expect(screen.lines(ledger(1), trouble: "gone")[1] == "\u{1B}[31mgone\u{1B}[0m")
        #expect(!TopScreen(columns: 80, rows: 10, hasColours: false).frame(ledger(1, state: "failed")).contains("[31m"))
    }

    @Test func aFrameIsDrawnOverTheLastOne() {
        let frame = TopScreen(columns: 80, rows: 10).frame(ledger(2))
        #expect(frame.hasPrefix("\u{1B}[H") && frame.hasSuffix("\u{1B}[K\u{1B}[J"))
        #expect(!frame.contains("\u{1B}[2J") && !frame.hasSuffix("\n"))
    }
}
