import Foundation
import JSONBytes
import Testing

/// The form for credentials in Debian's Chromium, and over raw connections what no browser would do.
@Suite(.serialized) struct CredentialFormTests {
    private let host: TestHost

    init() throws {
        host = try TestHost()
        try host.install("echo")
        try host.nexus("secret", "set", "echo", "shared_key", "--global", input: "abc")
    }

    private static func browse(_ url: String, code: String, _ more: String...) throws -> JSONValue {
        let profile = "/tmp/nexus-e2e-browser-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: profile) }
        let outcome = try Program.run(
            [Built.clientPython, "\(Built.root)/Tests/EndToEndTests/browser_client.py", url, "--code", code]
                + ["--profile", profile] + more, environment: ["HOME": "/tmp"], seconds: 180)
        guard outcome.status == 0 else { throw Failure("browser: \(outcome)") }
        return try outcome.json()
    }

    /// The form that `nexus secret request` opens; the command goes on waiting.
    private func request(
        _ name: String = "api_key", user: String? = nil
    ) throws -> (
        command: Program.Running, url: String, code: String
    ) {
        let user = user.map { ["--user", $0] } ?? []
        let command = try Program.start(
            host.command(["secret", "request", "--plugin", "echo", "--name", name, "--json"] + user),
            environment: ["NEXUS_HOME": host.home])
        guard eventually(within: 30, { command.output.contains("\n") }) else {
            throw Failure("no form: \(command.output)")
        }
        let form = try JSONValue(parsing: String(command.output.split(separator: "\n")[0]))
        return (command, form["url"]?.stringValue ?? "", form["code"]?.stringValue ?? "")
    }

    @Test func aPersonFillsInTheFormByKeyboardAndTheNextCallWorks() throws {
        #expect(try host.call("credentials").status != 0)
        let form = try request()
        let secret = "canary-\(UUID().uuidString)"
        let seen = try Self.browse(form.url, code: form.code.lowercased(), "--value", secret, "--wrong")
        let origin = "http://127.0.0.1:\(host.port)"
        #expect(seen["end"] == "Stored" && seen["endURL"] == .string("\(origin)/secret/stored"), "\(seen.text)")
        #expect(try form.command.finish(seconds: 30).status == 0)
        let call = try host.call("credentials")
        #expect(call.status == 0 && call.output.contains("\(secret.utf8.count)"), "\(call)")
        // What it looks like to a screen reader, and under the fingers.
        let fields = seen["fields"]?.arrayValue ?? []
        #expect(fields.compactMap { $0["role"]?.stringValue } == ["textbox", "textbox", "button"], "\(seen.text)")
        #expect(fields.compactMap { $0["name"]?.stringValue } == ["Pairing code", "api_key", "Store"])
        #expect(fields.prefix(2).allSatisfy { $0["required"] == true && $0["description"] != "" })
        #expect(seen["heading"] == "Credentials for echo" && seen["landmarks"]?.arrayValue?.contains("main") == true)
        #expect(seen["focus"] == ["code", "value-0", "submit"])
        #expect(seen["fits"] == true && seen["schemes"]?["light"] != seen["schemes"]?["dark"], "\(seen.text)")
        #expect(seen["alert"] != nil && seen["afterWrong"] == "Credentials for echo", "a wrong code is said")
        // What the browser kept and asked for.
        let cookie = seen["cookies"]?.arrayValue?.first
        #expect(cookie?["name"] == "__Host-nexus-form" && cookie?["sameSite"] == "Strict", "\(seen.text)")
        #expect(cookie?["secure"] == true && cookie?["httpOnly"] == true && cookie?["path"] == "/")
        #expect(seen["cookiesAfter"] == [], "\(seen.text)")
        #expect(seen["origins"] == [.string(origin)] && seen["source"] == false, "\(seen.text)")
        let console = seen["console"]?.arrayValue?.compactMap(\.stringValue) ?? []
        // The answer to the wrong code is a 403, and Chromium notes that it cleared its cache.
        let errors = console.filter { !$0.contains("403 (Forbidden)") && !$0.contains("Clear-Site-Data header on") }
        #expect(errors.isEmpty, "\(errors)")
        for file in try FileManager.default.subpathsOfDirectory(atPath: host.home) {
            let bytes = FileManager.default.contents(atPath: "\(host.home)/\(file)") ?? Data()
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "the value stands in \(file)")
            #expect(
                bytes.range(of: Data((form.url.split(separator: "/").last ?? "?").utf8)) == nil, "the link: \(file)")
        }
        let events = try host.audit().filter { $0["kind"] == "secret-form" }.compactMap { $0["event"]?.stringValue }
        #expect(events == ["created", "opened", "refused", "submitted", "stored"])
    }

    /// On another machine's browser: a certificate, a name, and nothing but the form.
    @Test func withACertificateTheFormIsServedUnderItsName() throws {
        let folder = "/tmp/nexus-e2e-form-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (key, certificate) = ("\(folder)/key.pem", "\(folder)/cert.pem")
        let made = try Program.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=nexus.test", "-addext",
            "subjectAltName=DNS:nexus.test",
        ])
        try #require(made.status == 0, "\(made)")
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", folder])
        let port = try RawConnection.freePort()
        let settings = try JSONValue(
            parsing: #"{"secretForm":{"address":"127.0.0.1","port":\#(port),"names":["nexus.test"],"#
                + #""certificate":"\#(certificate)","key":"\#(key)"}}"#)
        try host.nexus("down")
        let file = "\(host.home)/nexus.json"
        let written = try Program.run(host.person.prefix + ["/usr/bin/tee", file], input: settings.text)
        try #require(written.status == 0 && chmod(file, 0o644) == 0, "\(written)")
        try host.up()
        let form = try request()
        let origin = "https://nexus.test:\(port)"
        #expect(form.url.hasPrefix("\(origin)/secret/"), "\(form.url)")
        let seen = try Self.browse(form.url, code: form.code, "--value", "over-tls-value", "--ignore-certificate")
        #expect(seen["end"] == "Stored" && seen["origins"] == [.string(origin)], "\(seen.text)")
        #expect(seen["cookies"]?.arrayValue?.first?["secure"] == true && seen["cookiesAfter"] == [])
        #expect(try form.command.finish(seconds: 30).status == 0 && host.call("credentials").status == 0)
        let plain = try Program.run(["/usr/bin/curl", "-sk", "-i", "https://127.0.0.1:\(port)/mcp"])
        #expect(plain.output.contains("404"), "\(plain)")
        let named = ["--resolve", "nexus.test:\(port):127.0.0.1", "\(origin)/secret/none"]
        let absent = try Program.run(["/usr/bin/curl", "-sk", "-i"] + named)
        #expect(absent.output.contains("404") && absent.output.lowercased().contains("strict-transport-security"))
    }

    /// An agent that can open URLs, over both transports in both revisions, and one that cannot.
    @Test func anAgentsUserIsSentToTheFormAndTheCallGoesOn() throws {
        let front = try host.command(["mcp"]).joined(separator: " ")
        for revision in ["2025-11-25", "2026-07-28"] {
            for way in [
                ["--stdio", front, "--env", "NEXUS_HOME=\(host.home)"],
                ["--http", host.url, "--token-file", "\(host.home)/token"],
            ] {
                try host.nexus("secret", "rm", "echo", "api_key")
                let client = [Built.clientPython, Built.client, "--revision", revision] + way
                let call = ["--call", "credentials", "{}", "--timeout", "120"]
                let words = try Program.run(client + call + ["--allow-errors"])
                #expect(words.output.contains("/secret/") && words.output.contains("pairing code"), "\(words)")
                let running = try Program.start(client + ["--open-urls"] + call)
                #expect(
                    eventually(within: 60) { running.output.contains("asked") }, "\(revision) \(way) \(running.output)")
                let asked = try #require(
                    try running.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
                        .first { $0["step"] == "asked" })
                let message = asked["message"]?.stringValue ?? ""
                let code = message.components(separatedBy: "pairing code ").last?.prefix(7) ?? ""
                let url = asked["url"]?.stringValue ?? ""
                let secret = "canary-\(UUID().uuidString)"
                #expect(try Self.browse(url, code: String(code), "--value", secret)["end"] == "Stored")
                let outcome = try running.finish(seconds: 100)
                #expect(outcome.status == 0, "\(revision) \(way): \(outcome)")
                #expect(try outcome.lines().last?["isError"] == false && !outcome.output.contains(secret), "\(outcome)")
            }
        }
    }

    private func load(_ url: String) throws -> (path: String, cookie: String, mark: String) {
        let path = "/secret/\(url.split(separator: "/").last ?? "")"
        let page = try RawHTTP.send(port: host.port, ["GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(host.port)"])
        guard page.status == 200 else { throw Failure("the form: \(page)") }
        let cookie = page.text.components(separatedBy: "__Host-nexus-form=").dropFirst().first?.prefix(64) ?? ""
        let mark = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?.prefix(64) ?? ""
        return (path, String(cookie), String(mark))
    }

    private func head(_ form: (path: String, cookie: String, mark: String), length: Int) -> [String] {
        [
            "POST \(form.path) HTTP/1.1", "Host: 127.0.0.1:\(host.port)", "Origin: http://127.0.0.1:\(host.port)",
            "Content-Type: application/x-www-form-urlencoded", "Cookie: __Host-nexus-form=\(form.cookie)",
            "Content-Length: \(length)", "Connection: close",
        ]
    }

    @Test func ofTwoSubmissionsAtOnceExactlyOneWins() throws {
        for round in 0..<5 {
            let form = try request()
            let page = try load(form.url)
            let connections = try (0..<8).map { _ in try RawConnection(port: host.port) }
            for (number, connection) in connections.enumerated() {
                let body = "csrf=\(page.mark)&code=\(form.code)&value-0=value-\(round)-\(number)"
                connection.send(head(page, length: body.utf8.count), body: body)
            }
            let answers = connections.map { $0.read() }
            #expect(answers.count { $0.hasPrefix("HTTP/1.1 303") } == 1, "\(answers)")
            #expect(answers.count { $0.hasPrefix("HTTP/1.1 404") } == 7)
            #expect(try form.command.finish(seconds: 30).status == 0)
        }
    }

    @Test func whatIsTooLongTooSlowOrMisdirectedUsesNothingUp() throws {
        let form = try request()
        let page = try load(form.url)
        let long = try RawConnection(port: host.port)
        long.send(head(page, length: 1 << 20), body: String(repeating: "x", count: 1 << 20))
        #expect(long.read(until: "\r\n").hasPrefix("HTTP/1.1 413"))
        // A client that says it will send and does not; others are served meanwhile.
        let slow = try RawConnection(port: host.port)
        slow.send(head(page, length: 100), body: "csrf=")
        let own = "127.0.0.1:\(host.port)"
        for (name, path) in [
            ("evil.example", page.path), ("evil.example:\(host.port)", page.path), (own, "/secret/../mcp"),
            (own, "/secret/..%2fmcp"), (own, "\(page.path)%0d%0aSet-Cookie:%20x=y"), (own, "\(page.path)/"),
        ] {
            let answer = try RawHTTP.send(port: host.port, ["GET \(path) HTTP/1.1", "Host: \(name)"])
            #expect([403, 404].contains(answer.status), "\(name) \(path): \(answer)")
            #expect(!answer.text.contains("x=y") && !answer.text.contains("name=\"csrf\""))
        }
        let twice = try RawHTTP.send(
            port: host.port, ["GET \(page.path) HTTP/1.1", "Host: \(own)", "Host: evil.example"])
        #expect(twice.status == 400)
        slow.drop()
        let body = "csrf=\(page.mark)&code=\(form.code)&value-0=still-works"
        let last = try RawConnection(port: host.port)
        last.send(head(page, length: body.utf8.count), body: body)
        #expect(last.read().hasPrefix("HTTP/1.1 303"))
        #expect(try form.command.finish(seconds: 30).status == 0)
    }

    @Test func anInterruptedRequestClosesItsForm() throws {
        let form = try request(user: "bob")
        kill(form.command.process.processIdentifier, SIGINT)
        #expect(try form.command.finish(seconds: 30).status == 130)
        #expect(throws: Failure.self) { try load(form.url) }
        #expect(try host.audit().last { $0["kind"] == "secret-form" }?["event"] == "closed")
    }
}
