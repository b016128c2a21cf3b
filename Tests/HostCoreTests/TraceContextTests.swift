import Testing

@testable import HostCore

@Suite struct TraceContextTests {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func callIsASpanOfItsOwnInTheCallersTrace() {
        let trace = TraceContext(continuing: Self.parent, state: "vendor=1")
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanID != "00f067aa0ba902b7" && trace.spanID.count == 16)
        #expect("\(trace)" == "00-4bf92f3577b34da6a3ce929d0e0e4736-\(trace.spanID)-01")
        #expect(trace.state == "vendor=1")
        #expect(TraceContext(continuing: Self.parent).spanID != trace.spanID)
        #expect(TraceContext(continuing: String(Self.parent.dropLast(2)) + "00").flags == "00")
    }

    @Test func listsOfStateGoOnAsTheyCame() {
        for state in ["a=1", "congo=t61rcWkgMzE, rojo=00f067aa0ba902b7", "fw529a3039@dt=FfV,b=2", "a=1,,b=x y"] {
            #expect(TraceContext(continuing: Self.parent, state: state).state == state)
        }
    }

    @Test func flagsWithoutAMeaningAreSentAsZero() {
        let flags = { (text: String) in TraceContext(continuing: String(Self.parent.dropLast(2)) + text).flags }
        #expect(flags("ff") == "01" && flags("fe") == "00" && flags("03") == "01")
    }

    @Test func laterVersionsAreReadByTheirBeginning() {
        let later = TraceContext(continuing: "cc" + Self.parent.dropFirst(2) + "-what-comes")
        #expect("\(later)".hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-"))
    }

    @Test(
        arguments: [
            nil, "", "nonsense", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] as [String?])
    func whatIsNoTraceparentBeginsANewTrace(text: String?) {
        let trace = TraceContext(continuing: text, state: "vendor=1")
        #expect(trace.traceID != "4bf92f3577b34da6a3ce929d0e0e4736" && trace.traceID.count == 32)
        #expect(trace.state == nil, "state belongs to the trace that it came with")
    }

    @Test func stateThatNoHeaderCouldCarryIsDropped() {
        let many = (0..<33).map { "k\($0)=1" }.joined(separator: ",")
        for state in [
            "", "a\nb", String(repeating: "x", count: 513), "\u{E9}", "nothing", "a=1,b", "a=1,,=2", "A=1", "a b=1",
            "a=1=2", "a=", ",", "a=1,a=2", many, "a=\u{7F}",
        ] {
            #expect(TraceContext(continuing: Self.parent, state: state).state == nil)
        }
    }
}
