import Foundation
import JSONBytes
import Testing

/// What a host tells of itself: metrics, traces, one id for each call, and `nexus top`; read by programs of others.
@Suite(.serialized) struct ObservabilityTests {
    private func scrape(_ host: TestHost) throws -> JSONValue {
        let token = try host.tokenFile(user: "monitor", "--metrics")
        defer { try? FileManager.default.removeItem(atPath: token) }
        let url = "http://127.0.0.1:\(host.port)/metrics"
        let outcome = try Program.run(
            [Built.clientPython, "\(Built.root)/Tests/EndToEndTests/metrics_client.py", url, token])
        guard outcome.status == 0 else { throw Failure("metrics_client.py: \(outcome)") }
        return try outcome.json()
    }

    /// The value of the one sample with this name and these labels; nil for none.
    private func value(_ metrics: JSONValue, _ name: String, _ labels: JSONValue = [:]) -> Double? {
        let found = (metrics["samples"]?.arrayValue ?? []).filter {
            $0["name"] == .string(name) && $0["labels"] == labels
        }
        return found.count == 1 ? found[0]["value"].flatMap { Double($0.text) } : nil
    }

    @Test(arguments: Person.available)
    func prometheusReadsWhatTheHostDid(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        try host.install("python")
        for _ in 1...3 { #expect(try host.call("echo", #"{"n":1}"#).status == 0) }
        #expect(try host.call("sleep", #"{"ms":"soon"}"#).status == 1)
        #expect(try host.call("no_such_tool").status == 1)
        #expect(try host.call("py_offend", #"{"how":"throws"}"#).status == 1)
        #expect(try host.call("crash").status == 1)
        let metrics = try scrape(host)
        #expect(metrics["contentType"] == "text/plain; version=0.0.4; charset=utf-8")
        let calls = [
            ("echo", "echo", "ok", 3.0), ("echo", "sleep", "invalid-arguments", 1), ("", "", "unknown-tool", 1),
            ("python", "py_offend", "plugin-failed", 1), ("echo", "crash", "plugin-failed", 1),
        ]
        for (plugin, tool, outcome, count) in calls {
            let labels: JSONValue = ["plugin": .string(plugin), "tool": .string(tool), "outcome": .string(outcome)]
            #expect(value(metrics, "nexus_calls_total", labels) == count, "\(tool) \(outcome): \(metrics.text)")
        }
        // Every call was authenticated; only those that got that far were with a plugin.
        let stages = [
            ("authenticate", 7.0), ("resolve", 7), ("validate", 6), ("policy", 5), ("bind", 5), ("instance", 5),
            ("audit-intent", 5), ("plugin", 5), ("redact", 3), ("audit-outcome", 7),
        ]
        for (stage, count) in stages {
            let found = value(metrics, "nexus_call_stage_seconds_count", ["stage": .string(stage)])
            #expect(found == count, "\(stage)")
        }
        #expect(value(metrics, "nexus_call_seconds_count", ["plugin": "echo"]) == 5)
        #expect(value(metrics, "nexus_instance_ends_total", ["plugin": "echo", "cause": "signalled"]) == 1)
        #expect(value(metrics, "nexus_instances", ["plugin": "python", "state": "ready"]) == 1)
        #expect(value(metrics, "nexus_instance_starts_total", ["plugin": "echo", "outcome": "ok"]) == 1)
        #expect(value(metrics, "nexus_jail_start_seconds_count") == 2)
        #expect(try #require(value(metrics, "nexus_plugin_bytes_total", ["plugin": "echo", "direction": "in"])) > 100)
        #expect(try #require(value(metrics, "nexus_plugin_memory_bytes", ["plugin": "python"])) > 500_000)
        #expect(try #require(value(metrics, "nexus_audit_append_seconds_count")) >= 14)
        // Nobody's name, and nothing that was said.
        #expect(!metrics.text.contains("\"\(host.person.name)\"") && !metrics.text.contains("soon"))
        let shown = try host.nexus("metrics")
        #expect(shown.output.contains("\n# TYPE nexus_calls_total counter\n"), "\(shown)")
    }

    @Test func metricsAreForAdministratorsAndForTokensMadeForThem() throws {
        let host = try TestHost()
        let head = ["GET /metrics HTTP/1.1", "Host: 127.0.0.1:\(host.port)"]
        #expect(try RawHTTP.send(port: host.port, head).status == 401)
        let (monitor, tools) = (try host.tokenFile(user: "m", "--metrics"), try host.tokenFile(user: "alice"))
        defer { for file in [monitor, tools] { try? FileManager.default.removeItem(atPath: file) } }
        let reader = "Authorization: Bearer \(try String(contentsOfFile: monitor, encoding: .utf8))"
        let caller = "Authorization: Bearer \(try String(contentsOfFile: tools, encoding: .utf8))"
        #expect(try RawHTTP.send(port: host.port, head + [reader]).status == 200)
        #expect(try RawHTTP.send(port: host.port, head + [caller]).status == 403)
        #expect(try RawHTTP.send(port: host.port, head + [reader, "Origin: https://evil.example"]).status == 403)
        let other = ["GET /metrics HTTP/1.1", "Host: evil.example", reader]
        #expect(try RawHTTP.send(port: host.port, other).status == 403)
        let posted = ["POST /metrics HTTP/1.1", "Host: 127.0.0.1:\(host.port)", reader]
        #expect(try RawHTTP.send(port: host.port, posted).status == 405)
        // Neither kind of token does the other's work.
        let token = String(reader.dropFirst("Authorization: Bearer ".count))
        #expect(try RawHTTP.mcp(port: host.port, token: token, body: RawHTTP.initialize).status == 403)
    }

    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test func traceOfAnAgentGoesThroughThePluginAndBack() throws {
        let host = try TestHost()
        try host.install("python")
        let token = try host.tokenFile(user: "alice")
        defer { try? FileManager.default.removeItem(atPath: token) }
        let parent = "00-\(Self.trace)-00f067aa0ba902b7-01"
        let ways: [(options: [String], continues: Bool, state: JSONValue)] = [
            (["--header", "traceparent=\(parent)", "--header", "tracestate=a=1"], true, "a=1"),
            (
                ["--meta", "traceparent=\(parent)", "--meta", "tracestate=b=2", "--header", "traceparent=junk"], true,
                "b=2"
            ),
            (["--meta", "traceparent=\(parent)x", "--meta", "tracestate=c=3"], false, ""), ([], false, ""),
        ]
        for way in ways {
            let outcome = try Program.run(
                [
                    Built.clientPython, Built.client, "--revision", "2026-07-28", "--http", host.url, "--token-file",
                    token,
                ]
                    + way.options + ["--call", "py_look", "{}"])
            let call = try #require(try outcome.lines().last { $0["step"] == "call" }, "\(outcome)")
            let seen = call["structured"]?["trace"]?.arrayValue ?? []
            let told = try #require(call["meta"]?["traceparent"]?.stringValue, "\(outcome)")
            #expect(seen == [.string(told), way.state], "\(way): \(outcome)")
            #expect(told.contains(Self.trace) == way.continues && !told.contains("00f067aa0ba902b7"), "\(way): \(told)")
            #expect(try host.audit().contains { $0["trace"] == .string(told) })
        }
    }

    @Test func oneIdLeadsFromTheErrorOfACallToEveryLog() throws {
        let host = try TestHost()
        try host.install("python")
        let token = try host.tokenFile(user: "alice")
        defer { try? FileManager.default.removeItem(atPath: token) }
        for revision in ["2025-11-25", "2026-07-28"] {
            let outcome = try Program.run(
                [Built.clientPython, Built.client, "--revision", revision, "--http", host.url, "--token-file", token]
                    + ["--allow-errors", "--call", "py_offend", #"{"how":"throws"}"#])
            let call = try #require(try outcome.lines().last { $0["step"] == "call" }, "\(outcome)")
            #expect(call["isError"] == true)
            let id = try #require(call["meta"]?["io.nexus/request"]?.stringValue, "\(outcome)")
            let kinds = try host.audit().filter { $0["request"] == .string(id) }.compactMap { $0["kind"]?.stringValue }
            #expect(kinds == ["call", "outcome"])
            // The answer goes out before the line is written.
            let isTold = try eventually {
                try host.nexus("plugin", "logs", "python").output.split(separator: "\n")
                    .contains { $0.contains("ABI-7.6: py_offend failed") && $0.hasSuffix("request=\(id)") }
            }
            #expect(isTold, "\(id)")
            let log = try String(contentsOfFile: "\(host.home)/nexusd.log", encoding: .utf8)
            let lines = log.split(separator: "\n").filter { $0.contains("request=\(id)") }
            #expect(lines.contains { $0.contains("ABI-7.6: py_offend failed") }, "\(log)")
            #expect(lines.contains { $0.contains("call failed") && $0.contains("stage=plugin") }, "\(log)")
        }
        let command = try host.call("py_offend", #"{"how":"throws"}"#)
        let id = try #require(try JSONValue(parsing: command.errors)["error"]?["request"]?.stringValue, "\(command)")
        #expect(try host.audit().contains { $0["request"] == .string(id) })
    }

    // MARK: nexus top

    private func watch(_ host: TestHost, _ options: [String]) throws -> [JSONValue] {
        let command = try host.command(["top", "--home", host.home, "--interval", "0.2"])
        let script = "\(Built.root)/Tests/EndToEndTests/top_client.py"
        let outcome = try Program.run([Built.clientPython, script] + options + ["--"] + command)
        guard outcome.status == 0 else { throw Failure("top_client.py: \(outcome)") }
        return try outcome.lines()
    }

    @Test func topFitsEveryTerminalAndGivesItBack() throws {
        let host = try TestHost()
        try host.install("echo")
        try host.install("python")
        for _ in 1...3 { _ = try host.call("echo", "{}") }
        _ = try host.call("py_echo", "{}")
        let lines = try watch(
            host, ["--size", "80x24", "--resize", "40x10", "--gone", "DENIED", "--expect", "python#2", "--end", "q"])
        try #require(lines.count == 3)
        let screens = lines.compactMap { $0["screen"]?.arrayValue?.compactMap(\.stringValue) }
        #expect(screens.map(\.count) == [24, 10])
        for word in ["INSTANCE", "STATE", "PID", "JAIL", "MEMORY", "CALLS", "P50", "P99", "DENIED"] {
            #expect(screens[0][1].contains(word), "\(word): \(screens[0])")
        }
        let line = try #require(screens[0].first { $0.hasPrefix("echo#1 \(host.person.name) ") })
        let row = line.split(separator: " ").filter { $0 != host.person.name }
        #expect(row.count > 8 && row[1] == "ready" && row[3] == "strict" && row[5] == "3", "\(row)")
        #expect(screens[0].contains { $0.hasPrefix("python#") && $0.contains(" python ") }, "\(screens[0])")
        #expect(screens[1][1].split(separator: " ") == ["INSTANCE", "MEMORY", "CALLS", "P99"], "\(screens[1])")
        #expect(screens[1].contains { $0.hasPrefix("echo#1") })
        for ending in ["q", "ctrl-c", "term"] {
            let end = try #require(try watch(host, ["--size", "40x10", "--expect", "echo#1", "--end", ending]).last)
            #expect(end["status"] == 0 && end["isRestored"] == true, "\(ending): \(end.text)")
            #expect(end["alternate"] == [1, 1] && end["cursor"] == [1, 1], "\(ending): \(end.text)")
            // The screen is cleared once and drawn over from then on; nothing is wrong, so nothing is red.
            #expect(end["clears"] == 1 && end["colours"] == ["0", "1", "7"], "\(ending): \(end.text)")
        }
    }

    @Test func topIsPlainInAPipeAndWholeAsJSON() throws {
        let host = try TestHost()
        #expect(try host.nexus("top").output == "no plugin is running; the first call of its tools starts one\n")
        try host.install("echo")
        _ = try host.call("echo", "{}")
        let plain = try host.nexus("top").output
        #expect(!plain.contains("\u{1B}") && plain.hasPrefix("INSTANCE"), "\(plain)")
        #expect(plain.split(separator: "\n").count == 2)
        let entry = try #require(try host.nexus("top", "--json").json()["instances"]?.arrayValue?.first)
        #expect(entry["instance"] == "echo#1" && entry["calls"] == 1 && entry["failures"] == 0)
        #expect(entry["medianMicroseconds"]?.intValue.map { $0 > 0 && $0 < 10_000_000 } == true, "\(entry.text)")
        #expect(entry["memoryBytes"]?.intValue.map { $0 > 50_000 } == true, "\(entry.text)")
        #expect(["cgroup", "resident"].contains(entry["memoryIs"]?.stringValue), "\(entry.text)")
        #expect(try host.nexus("top", "--interval", "0").status == 64)
    }
}
