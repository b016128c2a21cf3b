import Foundation
import JSONBytes
import Testing

/// A plugin that hangs, dies or sends a frame out of turn at each step of its life: what its caller saw, what is on
/// record, and that nothing is left of it. All of them at once, because a host waits up to 30 s for some.
@Suite(.serialized) struct LifecycleFaultTests {
    /// Step, and what the caller is told where it hangs, dies and breaks the protocol.
    private static let starts: [(step: String, hangs: String, dies: String, breaks: String)] = [
        ("hello", "was not greeted within 10000 ms", "exited with code 3", "broke the protocol"),
        ("welcome", "was not initialized within 10000 ms", "exited with code 3", "broke the protocol"),
        ("initialize", "was not initialized within 10000 ms", "exited with code 3", "broke the protocol"),
        ("start", "was not running within 30000 ms", "exited with code 3", "broke the protocol"),
    ]

    @Test func everyFaultIsAnsweredRecordedAndLeavesNothing() throws {
        let host = try TestHost()
        try host.install("echo")
        _ = try host.call("echo")
        let before = try host.holdings()
        var expected: [(mode: String, words: String)] = Self.starts.flatMap { start in
            [
                ("hang-at-\(start.step)", start.hangs), ("die-at-\(start.step)", start.dies),
                ("break-at-\(start.step)", start.breaks),
            ]
        }
        expected += [("die-at-call", "exited with code 3"), ("break-at-call", "broke the protocol")]
        let ends = ["hang", "die", "break"].flatMap { fault in ["stop", "dispose"].map { "\(fault)-at-\($0)" } }
        for mode in expected.map(\.mode) + ends { try install(host, mode) }

        let running = try expected.map { try host.begin("poke-\($0.mode)", #"{"a":1}"#) }
        for (fault, call) in zip(expected, running) {
            let outcome = try call.finish(seconds: 50)
            let error = try JSONValue(parsing: outcome.errors)["error"]
            #expect(error?["message"]?.stringValue?.contains(fault.words) == true, "\(fault.mode): \(outcome)")
            let incidents = try self.incidents(host, fault.mode)
            #expect(incidents.count == 1, "\(fault.mode): \(incidents)")
            #expect(incidents.first?["cause"]?.stringValue?.contains(fault.words) == true, "\(fault.mode)")
        }
        // What happens on the way out concerns no caller: the plugin is gone in the end, and that is no incident.
        for mode in ends {
            let outcome = try host.call("poke-\(mode)", #"{"a":1}"#)
            #expect(outcome.output == "{\"a\":1}\n", "\(mode): \(outcome)")
        }
        let stops = try ends.map { mode in
            try Program.start(
                host.command(["plugin", "stop", "rogue-\(mode)"]), environment: ["NEXUS_HOME": host.home])
        }
        for (mode, stop) in zip(ends, stops) {
            let outcome = try stop.finish(seconds: 50)
            #expect(outcome.status == 0, "\(mode): \(outcome)")
            #expect(try host.state(of: "rogue-\(mode)")["state"]?.stringValue == "stopped", "\(mode)")
            #expect(try incidents(host, mode).isEmpty, "\(mode)")
        }
        #expect(try host.call("echo", #"{"still":1}"#).output == "{\"still\":1}\n")
        var after = before
        let isClean = try eventually(within: 20) {
            after = try host.holdings()
            return after.isNoMore(than: before)
        }
        #expect(isClean, "before: \(before), after: \(after)")
        print("faults: \(expected.count + ends.count) plugins; before \(before), after \(after)")
    }

    private func install(_ host: TestHost, _ mode: String) throws {
        try host.install("rogue-\(mode)")
        let stored = try host.nexus(
            "secret", "set", "rogue-\(mode)", "api_key", "--user", host.person.name, input: "a-secret-of-some-length")
        guard stored.status == 0 else { throw Failure("\(stored)") }
    }

    private func incidents(_ host: TestHost, _ mode: String) throws -> [JSONValue] {
        try host.nexus("plugin", "incidents", "rogue-\(mode)", "--json").json()["incidents"]?.arrayValue ?? []
    }
}
