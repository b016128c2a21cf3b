import Foundation
import JSONBytes
import Testing

/// Plugins that break one rule each. The plugin fails with a recorded cause, its caller gets a definite error, and the
/// host and the other plugins go on.
@Suite(.serialized) struct RogueTests {
    /// Mode, and a part of the cause that is recorded.
    static let offences = [
        ("garbage", "broke the protocol"), ("garbage-at-start", "broke the protocol"), ("oversized", "4294967295"),
        ("unknown-stream", "never opened"), ("unknown-kind", "99"), ("bad-version", "ABI"),
        ("early-call-result", "broke the protocol"), ("exit-at-start", "exited with code 3"),
        ("refuse-start", "does not start"), ("exit-in-call", "exited with code 0"),
        ("host-voice", "broke the protocol"),
        ("huge-result", "2097152"), ("silent", "was not greeted within 10000 ms"),
    ]

    @Test func aPluginThatBreaksTheRulesFailsAloneWithARecordedCause() throws {
        let host = try TestHost()
        try host.install("echo")
        for (mode, words) in Self.offences {
            let plugin = "rogue-\(mode)"
            try host.install(plugin)
            try setKey(host, plugin)
            let outcome = try host.call("poke", #"{"a":1}"#)
            #expect(outcome.status == 1, "\(mode): \(outcome)")
            let failure = try JSONValue(parsing: outcome.errors)["error"]
            #expect(failure?["message"]?.stringValue?.contains(words) == true, "\(mode): \(outcome)")
            let state = try host.state(of: plugin)
            #expect(state["state"]?.stringValue == "failed", "\(mode): \(state.text)")
            #expect(state["cause"]?.stringValue?.contains(words) == true, "\(mode): \(state["cause"]?.text ?? "")")
            let recorded = try host.audit().last {
                $0["kind"]?.stringValue == "plugin" && $0["plugin"]?.stringValue == plugin
            }
            #expect(recorded?["event"]?.stringValue == "failed", "\(mode)")
            #expect(try host.call("echo", #"{"still":"here"}"#).output == "{\"still\":\"here\"}\n", "\(mode)")
            try host.nexus("plugin", "remove", plugin)
        }
        #expect(isAlive(host.processID))
    }

    @Test func aPluginThatOnlyAnnoysIsContainedAndStillServes() throws {
        let host = try TestHost()
        for mode in ["double-reply", "slow-bytes", "flood-logs"] {
            try host.install("rogue-\(mode)")
            try setKey(host, "rogue-\(mode)")
            for _ in 0..<3 { #expect(try host.call("poke", #"{"a":1}"#).output == "{\"a\":1}\n", "\(mode)") }
            let state = try host.state(of: "rogue-\(mode)")
            #expect(state["state"]?.stringValue == "running", "\(mode): \(state.text.prefix(2_000))")
            if mode == "double-reply" { #expect(state["lateFrames"]?.intValue == 3) }
            try host.nexus("plugin", "remove", "rogue-\(mode)")
        }
    }

    @Test func aPluginThatHangsOnStopIsKilled() throws {
        let host = try TestHost()
        try host.install("rogue-hang-on-stop")
        try setKey(host, "rogue-hang-on-stop")
        _ = try host.call("poke")
        let before = Set(try host.descendants()).subtracting(try host.jailProcesses())
        let stop = try host.nexus("plugin", "stop", "rogue-hang-on-stop")
        #expect(stop.status == 0, "\(stop)")
        #expect(eventually { !before.contains(where: isAlive) })
    }

    @Test func aPluginThatIsBeingRemovedIsNotBroughtBackByACall() throws {
        let host = try TestHost()
        try host.install("rogue-hang-on-stop")
        try setKey(host, "rogue-hang-on-stop")
        _ = try host.call("poke")
        let removing = try Program.start(
            host.command(["plugin", "remove", "rogue-hang-on-stop"]), environment: ["NEXUS_HOME": host.home])
        let isUnknown = try eventually { try host.call("poke").errors.contains("no tool is called") }
        #expect(isUnknown)
        #expect(try removing.finish(seconds: 60).status == 0)
        #expect(try Set(host.descendants()) == host.jailProcesses())
        #expect(try host.nexus("secret", "list", "--json").json()["secrets"] == [])
    }

    @Test func aSecretThatAPluginEchoesIsRedactedEverywhere() throws {
        let host = try TestHost()
        try host.install("rogue-secret-echo")
        let canary = "canary-\(UUID().uuidString)-\"quoted\""
        let owner = host.person.name
        try host.nexus("secret", "set", "rogue-secret-echo", "api_key", "--user", owner, input: canary)
        let answer = try host.call("poke")
        #expect(answer.status == 0, "\(answer)")
        #expect(answer.output.contains("[redacted]"))
        let inner = String(canary.dropFirst(7).prefix(36))
        #expect(!answer.output.contains(inner))
        for file in try FileManager.default.subpathsOfDirectory(atPath: host.home) {
            guard let bytes = FileManager.default.contents(atPath: "\(host.home)/\(file)") else { continue }
            #expect(bytes.range(of: Data(inner.utf8)) == nil, "the secret stands in \(file)")
        }
        #expect(!(try host.state(of: "rogue-secret-echo").text.contains(inner)))
    }

    private func setKey(_ host: TestHost, _ plugin: String) throws {
        let set = try host.nexus(
            "secret", "set", plugin, "api_key", "--user", host.person.name, input: "a-secret-of-some-length")
        guard set.status == 0 else { throw Failure("\(set)") }
    }
}
