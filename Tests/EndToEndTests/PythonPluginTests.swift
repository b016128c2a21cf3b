import Foundation
import JSONBytes
import Testing

/// A plugin in Python, spoken by hand, in its jail; and what its author is told of mistakes.
@Suite(.serialized) struct PythonPluginTests {
    @Test(arguments: Person.available)
    func scriptRunsInItsJailAndSeesNothingElse(person: Person) throws {
        let host = try TestHost(person)
        try host.install("python")
        #expect(try host.call("py_echo", #"{"a":1}"#).output == "{\"a\": 1}\n")
        let seen = try host.call("py_look").json()
        #expect(
            seen["seen"]
                == [
                    "/etc": false, "/home": false, "/usr/bin/env": false, "/usr/share": false, "/plugin.pyz": true,
                ])
        #expect(seen["writable"] == false && seen["isolated"] == 1 && seen["arguments"] == ["given"])
        let seccomp = try host.state(of: "python")["layers"]?.arrayValue?.first { $0["layer"] == "seccomp" }
        #expect(seccomp?["detail"]?.stringValue?.hasPrefix("profile python") == true)
    }

    /// The start of an interpreter takes more than the twentieth of a processor that it gets here.
    @Test func aPluginThatIsHeldBackHasThatLimitInTheAuditLogOnce() throws {
        let host = try TestHost()
        try #require(host.person == .root, "takes a cpu cgroup, which an ordinary user has where one was delegated")
        let folder = "/tmp/nexus-e2e-slow-\(UUID().uuidString.prefix(8))"
        try FileManager.default.copyItem(atPath: Built.plugin("python"), toPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let manifest = URL(fileURLWithPath: "\(folder)/plugin.json")
        let bound = #""permissions": { "resources": { "cpuPercent": 5, "reason": "To be held back" }, "#
        let text = try String(contentsOf: manifest, encoding: .utf8).replacing(#""permissions": {"#, with: bound)
        try Data(text.utf8).write(to: manifest)
        let installed = try host.nexus("plugin", "install", folder, "--yes", "--json")
        #expect(installed.status == 0, "\(installed)")
        #expect(try host.call("py_echo", #"{"a":1}"#).status == 0)
        #expect(try host.nexus("plugin", "stop", "python").status == 0)
        var denied: [JSONValue] = []
        let isThere = try eventually {
            denied = try host.audit().filter { $0["kind"] == "denied" && $0["service"] == "limit" }
            return !denied.isEmpty
        }
        #expect(isThere && denied.count == 1)
        #expect(denied.first?["what"] == "more than 5 % of a processor")
        #expect(denied.first?["rule"] == "permissions.resources.cpuPercent")
        print("throttled: \(denied.first?["reason"]?.stringValue ?? "")")
    }

    @Test func bytesComeThroughWhateverTheirNumber() throws {
        let host = try TestHost()
        try host.install("python")
        let file = "/tmp/nexus-e2e-bytes-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        for count in [1, 262_144, 262_145, 3_000_000] {
            let outcome = try host.nexus("tool", "call", "py_stream", "{\"bytes\":\(count)}", "--output", file)
            #expect(outcome.output == "{\"sent\": \(count)}\n", "\(outcome)")
            #expect(FileManager.default.contents(atPath: file) == Data(repeating: 0x78, count: count))
        }
        let large = try host.call("py_stream", #"{"bytes":9000000}"#)
        #expect(large.status == 1 && large.errors.contains("more than 8388608 bytes (ABI-7.13"), "\(large)")
        let log = try host.nexus("plugin", "logs", "python").output
        #expect(log.contains("log/debug: py_stream: 262144 of 262144"))
        #expect(log.contains("nexusd: ABI-7.13: py_stream answered with more than 8388608 bytes"))
    }

    /// What the author does, what the caller is told (nil: nothing), and the line in the log.
    static let mistakes: [(how: String, caller: String?, line: String)] = [
        ("stdout", nil, "nexusd: ABI-2.2: the plugin writes to its standard output"),
        ("frame-on-stdout", nil, "frames belong on descriptor 3"),
        ("twice", nil, "nexusd: ABI-7.2: a second terminal frame came for stream"),
        ("schema", "/n: must be", "nexusd: MAN-6.3: py_offend answered what its output schema does not allow: /n"),
        ("bytes", "(ABI-7.13: add \\\"content\\\"", "nexusd: ABI-7.13: py_offend answered with bytes"),
        ("throws", "ValueError: this tool threw", "nexusd: ABI-7.6: py_offend failed: ValueError"),
        ("blocks", nil, "nexusd: ABI-6.6: a ping was not answered for"),
    ]

    @Test func everyMistakeHasItsRequirementAndFixInTheLog() throws {
        let host = try TestHost()
        for mistake in Self.mistakes {
            try host.install("python")
            let outcome = try host.call("py_offend", "{\"how\":\"\(mistake.how)\"}")
            #expect(outcome.status == (mistake.caller == nil ? 0 : 1), "\(mistake.how): \(outcome)")
            if let words = mistake.caller { #expect(outcome.errors.contains(words), "\(mistake.how): \(outcome)") }
            var log = ""
            let isThere = try eventually {
                log = try host.nexus("plugin", "logs", "python").output
                return log.contains(mistake.line)
            }
            #expect(isThere, "\(mistake.how): \(log)")
            try host.nexus("plugin", "remove", "python")
        }
    }

    @Test func traceOfACallIsInItsRecord() throws {
        let host = try TestHost()
        try host.install("python")
        _ = try host.call("py_echo", "{}")
        let entries = try host.audit().filter { $0["tool"] == "py_echo" || $0["kind"] == "outcome" }
        let traces = entries.compactMap { $0["trace"]?.stringValue }
        #expect(traces.count == 2 && Set(traces).count == 1 && traces.first?.utf8.count == 55)
    }
}
