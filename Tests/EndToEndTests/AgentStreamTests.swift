import Foundation
import JSONBytes
import Testing

/// Progress, announcements and cancellation, with the PyPI client over both transports in both revisions.
@Suite(.serialized) struct AgentStreamTests {
    private struct Way: CustomStringConvertible {
        var revision: String
        var arguments: [String]
        var description: String { "\(revision) \(arguments)" }
    }

    private static func ways(_ host: TestHost) throws -> [Way] {
        let front = try host.command(["mcp"]).joined(separator: " ")
        return ["2025-11-25", "2026-07-28"].flatMap { revision in
            [
                ["--stdio", front, "--env", "NEXUS_HOME=\(host.home)"],
                ["--http", host.url, "--token-file", "\(host.home)/token"],
            ].map { Way(revision: revision, arguments: ["--revision", revision] + $0) }
        }
    }

    private static func client(_ way: Way, _ steps: String...) -> [String] {
        [Built.clientPython, Built.client] + way.arguments + steps
    }

    @Test func progressRisesAndReachesTheAgentBeforeTheAnswer() throws {
        let host = try TestHost()
        try host.install("python")
        for way in try Self.ways(host) {
            let call = ["--call", "py_progress", #"{"steps":5,"ms":60}"#]
            let told = try Program.run(Self.client(way, "--progress") + call)
            let lines = try told.lines().dropFirst()
            let progress = lines.filter { $0["step"] == "progress" }.compactMap { $0["progress"]?.numberValue?.double }
            #expect(progress.count > 1 && progress == progress.sorted(), "\(way): \(told)")
            #expect(Set(progress).count == progress.count && progress.last == 5, "\(way): \(told)")
            #expect(lines.filter { $0["step"] == "progress" }.allSatisfy { $0["message"] == "step" }, "\(told)")
            #expect(lines.last?["structured"] == ["steps": 5], "\(way): \(told)")
            let plain = try Program.run(Self.client(way) + call)
            #expect(try plain.lines().compactMap { $0["step"]?.stringValue }.last == "call", "\(way): \(plain)")
            #expect(try plain.lines().count == 2, "\(way): \(plain)")
        }
    }

    @Test func agentsThatListenHearOfOtherTools() throws {
        let host = try TestHost()
        for way in try Self.ways(host) {
            let listening = try Program.start(Self.client(way, "--await-change", "--timeout", "60"))
            #expect(eventually(within: 30) { listening.output.contains("listening") }, "\(way)")
            // The stream of 2025-11-25 opens some time after the handshake, so that the first change may be missed.
            let hasHeard = try eventually(within: 40) {
                try host.install("echo")
                try host.nexus("plugin", "remove", "echo")
                return listening.output.contains("changed")
            }
            #expect(hasHeard, "\(way): \(listening.output)")
            #expect(try listening.finish(seconds: 20).status == 0, "\(way)")
        }
    }

    @Test func whatAnAgentNoLongerWaitsForIsCancelled() throws {
        let host = try TestHost()
        try host.install("echo")
        for (index, way) in try Self.ways(host).enumerated() {
            let outcome = try Program.run(
                Self.client(way, "--abandon", "sleep", #"{"ms":60000}"#, "--call", "echo", #"{"still":"here"}"#))
            #expect(outcome.status == 0, "\(way): \(outcome)")
            #expect(try outcome.lines().last?["structured"] == ["still": "here"], "\(way): \(outcome)")
            #expect(eventually { (try? cancelled(host)) == index + 1 }, "\(way)")
        }
        // Killed in the middle of a call: the front over stdio, and the agent over HTTP.
        for (index, way) in try Self.ways(host).enumerated() {
            let running = try Program.start(Self.client(way, "--call", "sleep", #"{"ms":60000}"#))
            #expect(eventually { (try? open(host)) == 1 }, "\(way)")
            kill(running.process.processIdentifier, SIGKILL)
            #expect(eventually { (try? cancelled(host)) == 5 + index }, "\(way)")
        }
        #expect(try host.state(of: "echo")["state"]?.stringValue == "running")
    }

    private func cancelled(_ host: TestHost) throws -> Int {
        try host.audit().count { $0["kind"] == "outcome" && $0["code"] == "cancelled" }
    }

    /// Calls that have begun and not ended.
    private func open(_ host: TestHost) throws -> Int {
        let entries = try host.audit()
        return entries.count { $0["kind"] == "call" } - entries.count { $0["kind"] == "outcome" }
    }

    @Test func theHostStopsAlsoWhileAgentsListen() throws {
        let host = try TestHost()
        let token = try host.firstToken()
        let connection = try RawConnection(port: host.port)
        connection.send(Self.stream(host, token), body: "")
        #expect(connection.read(until: "\r\n\r\n").contains("text/event-stream"))
        #expect(try host.nexus("down").status == 0)
        #expect(connection.read() == "0\r\n\r\n")
        #expect(!isAlive(host.processID))
    }

    static func stream(_ host: TestHost, _ token: String) -> [String] {
        [
            "GET /mcp HTTP/1.1", "Host: 127.0.0.1:\(host.port)", "Authorization: Bearer \(token)",
            "Accept: text/event-stream",
        ]
    }
}

extension TestHost {
    /// The token that the host made for whoever started it.
    func firstToken() throws -> String {
        let text = try String(contentsOfFile: "\(home)/token", encoding: .utf8)
        guard let token = text.split(separator: "\n").first else { throw Failure("no token in \(home)") }
        return String(token)
    }
}
