import Foundation
import JSONBytes
import Testing

/// What a credential leaves in nexusd's memory on its way in: nothing, whichever way it came. No call and no other
/// request follows that could overwrite what was left. Over TLS it is otherwise: docs/THREAT_MODEL.md.
@Suite(.serialized) struct ArrivingSecretTests {
    enum Way: String, CaseIterable {
        case set, rotate, `import`, form
    }

    /// Bytes: in one read of the connection, and in several.
    @Test(arguments: Way.allCases, [96, 6_000])
    func aValueThatArrivedIsNowhereInTheHost(way: Way, bytes: Int) throws {
        let host = try TestHost()
        try host.install("echo")
        // Random, so that it stands in no program.
        let value = (0..<bytes).map { _ in String(UInt8.random(in: 0...35), radix: 36) }.joined()
        try send(value, way, to: host)
        let text = Array(value.utf8)
        let needles = [
            "the home": Array(host.home.utf8), "its start": Array(text.prefix(40)),
            "its middle": Array(text[(bytes / 2)..<(bytes / 2 + 40)]), "its end": Array(text.suffix(40)),
        ]
        let found = try ProcessMemory(process: host.processID).found(needles)
        #expect(found == ["the home"], "\(way.rawValue), \(bytes) bytes")
    }

    private func send(_ value: String, _ way: Way, to host: TestHost) throws {
        switch way {
        case .set: try succeed(host.nexus("secret", "set", "echo", "api_key", input: value))
        case .rotate:
            try succeed(host.nexus("secret", "set", "echo", "api_key", input: "another"))
            try succeed(host.nexus("secret", "rotate", "echo", "api_key", input: value))
        case .import:
            let path = "/tmp/nexus-e2e-arriving-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data("API_KEY=\(value)\n".utf8).write(to: URL(fileURLWithPath: path))
            try succeed(host.nexus("secret", "import", "--env-file", path, "--plugin", "echo"))
        case .form: try submit(value, to: host)
        }
    }

    private func succeed(_ outcome: Program.Outcome) throws {
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
    }

    /// As a browser sends it.
    private func submit(_ value: String, to host: TestHost) throws {
        let curl = ["/usr/bin/curl", "-s", "-i"]
        let command = try Program.start(
            host.command(["secret", "request", "--plugin", "echo", "--name", "api_key", "--json"]),
            environment: ["NEXUS_HOME": host.home])
        guard eventually(within: 30, { command.output.contains("\n") }) else {
            throw Failure("no form: \(command.output)")
        }
        let form = try JSONValue(parsing: String(command.output.split(separator: "\n")[0]))
        let (url, code) = (form["url"]?.stringValue ?? "", form["code"]?.stringValue ?? "")
        let page = try Program.run(curl + [url]).output
        let cookie = page.components(separatedBy: "__Host-nexus-form=").dropFirst().first?.prefix(64) ?? ""
        let mark = page.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?.prefix(64) ?? ""
        let origin = url.components(separatedBy: "/secret/")[0]
        let answer = try Program.run(
            curl + [
                "-H", "Origin: \(origin)", "-H", "Cookie: __Host-nexus-form=\(cookie)", "--data-binary", "@-", url,
            ], input: "csrf=\(mark)&code=\(code)&value-0=\(value)")
        guard answer.output.hasPrefix("HTTP/1.1 303") else { throw Failure("the form: \(page)\(answer)") }
        try succeed(command.finish(seconds: 30))
    }
}
