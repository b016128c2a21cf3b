import Foundation
import JSONBytes
import Testing

/// A canary credential is given away by a plugin in every way that a plugin has, and used in calls of every kind; then
/// it is looked for wherever it must not be, however it is written.
@Suite(.serialized) struct SecretCanaryTests {
    static let places = ["result", "error", "data", "log", "progress", "stdout", "stderr", "crash"]
    static let forms = [
        "plain", "base64", "base64-after-one", "base64-after-two", "base64url", "hex", "HEX", "url", "json",
    ]

    @Test func aCanaryStandsNowhereAfterAHundredCalls() throws {
        let host = try TestHost()
        try host.install("python")
        let canary = Canary()
        try host.nexus("secret", "set", "python", "canary", "--user", host.person.name, input: canary.value)
        var traffic: [(String, String)] = []
        var calls = 0
        let note = { (kind: String, outcome: Program.Outcome) in
            traffic.append((kind, outcome.output + outcome.errors))
            calls += 1
        }
        for place in Self.places {
            for form in Self.forms {
                let arguments = #"{"where":"\#(place)","form":"\#(form)"}"#
                note("\(place) \(form)", try host.call("py_leak", arguments))
                // A plugin that crashes too often is parked, and must go on leaking.
                if place == "crash" { try host.nexus("plugin", "start", "python") }
            }
        }
        #expect(traffic.contains { $0.1.contains("[redacted]") }, "it leaked nothing: \(traffic.first?.1 ?? "")")
        let token = try host.firstToken()
        for place in Self.places.dropLast() {
            for form in ["plain", "base64"] {
                let body = """
                    {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"py_leak",\
                    "arguments":{"where":"\(place)","form":"\(form)"},"_meta":{"progressToken":7}}}
                    """
                let answer = try RawHTTP.mcp(port: host.port, token: token, body: body)
                traffic.append(("MCP \(place) \(form)", answer.text))
                calls += 1
            }
        }
        for revision in ["2025-11-25", "2026-07-28"] {
            let tokenFile = try host.tokenFile(user: host.person.name)
            defer { try? FileManager.default.removeItem(atPath: tokenFile) }
            for transport in [
                ["--http", host.url, "--token-file", tokenFile],
                ["--stdio", try Built.program("nexus"), "mcp", "--env", "NEXUS_HOME=\(host.home)"],
            ] {
                for form in Self.forms.prefix(4) {
                    note(
                        "client \(revision) \(transport[0]) \(form)",
                        try Program.run(
                            [Built.clientPython, Built.client, "--revision", revision] + transport
                                + ["--allow-errors", "--call", "py_leak"]
                                + [#"{"where":"result","form":"\#(form)"}"#]))
                }
            }
        }
        #expect(calls >= 100, "\(calls) calls")
        for command in [
            ["plugin", "logs", "python"], ["plugin", "logs", "python", "--json"], ["plugin", "info", "python"],
            ["plugin", "incidents", "python"], ["plugin", "incidents", "python", "--json"], ["plugin", "list"],
            ["audit", "tail", "--count", "1000", "--json"], ["secret", "list", "--json"], ["metrics"],
            ["tool", "list", "--json"], ["status", "--json"],
        ] {
            traffic.append(
                (
                    command.joined(separator: " "),
                    try Program.run(try host.command(command), environment: ["NEXUS_HOME": host.home]).output
                ))
        }
        for (what, text) in traffic { canary.expectAbsent(from: Data(text.utf8), what) }
        try expectNoFile(below: host.home, holds: canary)
        try expectNoProcessShows(canary)
    }

    private func expectNoFile(below folder: String, holds canary: Canary) throws {
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            canary.expectAbsent(from: bytes, file)
        }
    }

    /// Every process of the machine that this one may look at.
    private func expectNoProcessShows(_ canary: Canary) throws {
        var looked = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int32(name) != nil {
            for part in ["environ", "cmdline"] {
                guard let bytes = FileManager.default.contents(atPath: "/proc/\(name)/\(part)") else { continue }
                looked += 1
                canary.expectAbsent(from: bytes, "/proc/\(name)/\(part)")
            }
        }
        #expect(looked > 4)
    }
}

/// A value that each form of writing changes, and how to find it in each.
private struct Canary {
    let value = "k/+?\(UUID().uuidString)\"~é&\\end"

    /// What no text may hold: the value in each form, but for what its neighbours change at the ends of base64.
    private var patterns: [(form: String, bytes: Data)] {
        let plain = Data(value.utf8)
        let hex = plain.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var found = [
            ("plain", plain), ("hex", Data(hex.utf8)), ("HEX", Data(hex.uppercased().utf8)),
            ("JSON", Data(JSONValue.string(value).text.dropFirst().dropLast().utf8)),
        ]
        for shift in 0..<3 {
            let text = (Data(repeating: 0, count: shift) + plain).base64EncodedString()
            let inner = String(text.dropFirst(shift == 0 ? 0 : 4).dropLast(4))
            found.append(("base64 \(shift)", Data(inner.utf8)))
            let url = inner.replacing("+", with: "-").replacing("/", with: "_")
            found.append(("base64url \(shift)", Data(url.utf8)))
        }
        if let escaped = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) {
            found.append(("URL", Data(escaped.utf8)))
        }
        // Its middle needs no escape in JSON or URLs, so this catches what writes only the rest otherwise.
        found.append(("middle", Data(value.dropFirst(5).prefix(20).utf8)))
        return found
    }

    func expectAbsent(from bytes: Data, _ place: String) {
        for (form, pattern) in patterns {
            #expect(bytes.range(of: pattern) == nil, "the canary stands in \(place) as \(form)")
        }
    }
}
