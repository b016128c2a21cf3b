import Foundation
import JSONBytes
import Testing

/// The main job through the real parts: the PyPI client, the host, the jail, the exchange.
@Suite(.serialized) struct MainJobTests {
    private static let calls = [
        "--list", "--call", "crypto_price", #"{"symbol":"BTCUSDT"}"#, "--call", "crypto_balance", "{}", "--call",
        "crypto_order", #"{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.01"}"#,
    ]

    @Test(arguments: Person.available)
    func anIndependentClientDoesTheMainJobOverBothTransportsInBothRevisions(person: Person) throws {
        let host = try TestHost(person)
        let exchange = try Exchange()
        try exchange.prepare(host, user: "alice")
        let token = try host.tokenFile(user: "alice", "--expires", "1h")
        defer { try? FileManager.default.removeItem(atPath: token) }
        // The front runs as the host's owner, who must be able to read the token.
        if person == .ordinary, geteuid() == 0 { chown(token, uid_t(Person.ordinaryID), gid_t(Person.ordinaryID)) }
        let front = try host.command(["mcp", "--token-file", token]).joined(separator: " ")
        for revision in ["2025-11-25", "2026-07-28"] {
            let opening = revision == "2025-11-25" ? "initialize" : "discover"
            let ways = [
                ["--stdio", front, "--env", "NEXUS_HOME=\(host.home)"], ["--http", host.url, "--token-file", token],
            ]
            for way in ways {
                let outcome = try Program.run(
                    [Built.clientPython, Built.client, "--revision", revision] + way + Self.calls)
                #expect(outcome.status == 0, "\(way) \(revision): \(outcome)")
                try check(outcome.lines(), opening: opening, revision: revision)
            }
        }
        try checkAudit(host.audit())
    }

    private func check(_ lines: [JSONValue], opening: String, revision: String) throws {
        #expect(lines.map { $0["step"]?.stringValue ?? "" } == [opening, "tools", "call", "call", "call"])
        #expect(lines.first?["revision"]?.stringValue == revision)
        let tools = lines.first { $0["step"]?.stringValue == "tools" }?["names"]?.arrayValue?.compactMap(\.stringValue)
        #expect(tools == ["crypto_balance", "crypto_order", "crypto_price", "crypto_selfcheck"])
        let answers = lines.filter { $0["step"]?.stringValue == "call" }.map { $0["structured"] ?? .null }
        try #require(answers.count == 3)
        #expect(answers[0]["price"]?.stringValue == "99400.00000000")
        #expect(answers[1].text.contains(#"{"asset":"USDT","free":"10000.00000000""#))
        #expect(answers[2]["mode"]?.stringValue == "paper")
        #expect(answers[2]["orderPlaced"]?.boolValue == false)
        #expect(answers[2]["dryRun"]?.stringValue == "accepted")
    }

    private func checkAudit(_ entries: [JSONValue]) {
        let calls = entries.filter { $0["kind"]?.stringValue == "call" }
        #expect(calls.count == 12)
        #expect(entries.count { $0["kind"]?.stringValue == "outcome" && $0["outcome"]?.stringValue == "ok" } == 12)
        for call in calls {
            #expect(call["actor"]?.stringValue == "alice")
            #expect(call["principal"]?.stringValue == "alice")
            #expect(call["instance"]?.stringValue == "crypto-bot#1")
        }
        let balance = calls.first { $0["tool"]?.stringValue == "crypto_balance" }
        #expect(balance?["credentials"]?["api_key"]?.stringValue?.hasPrefix("********(") == true)
        #expect(calls.first { $0["tool"]?.stringValue == "crypto_price" }?["credentials"] == .object(JSONObject()))
        #expect(!entries.contains { $0.text.contains(Exchange.key) || $0.text.contains(Exchange.secret) })
        let started = entries.first { $0["kind"]?.stringValue == "plugin" && $0["event"]?.stringValue == "started" }
        let layers = started?["layers"]?.arrayValue?.compactMap { $0["layer"]?.stringValue } ?? []
        #expect(
            Set(["namespaces", "pivot-root", "seccomp", "capabilities", "landlock", "verify"]).isSubset(of: layers))
    }

    @Test(arguments: Person.available)
    func cryptoBotFindsEveryForbiddenActDenied(person: Person) throws {
        let host = try TestHost(person)
        try host.install("crypto-bot")
        let report = try host.call("crypto_selfcheck").json()
        #expect(report["allDenied"]?.boolValue == true, "\(report.text)")
        let denied = try host.audit().filter { $0["kind"]?.stringValue == "denied" }
        let fetches = denied.filter { $0["service"] == "http.fetch" }
        #expect(fetches.count == 2)
        #expect(fetches.first?["reason"]?.stringValue?.contains("/sapi/v1/capital/withdraw/apply") == true)
        // What the kernel was asked is on record beside it, for the same call.
        let calls = denied.filter { $0["service"] == "system call" }
        #expect(Set(calls.map { $0["request"]?.stringValue }) == [fetches.first?["request"]?.stringValue])
    }

    @Test func aTokenThatMayActForAGroupSpeaksForItsUsersAndForNobodyElse() throws {
        let host = try TestHost()
        let exchange = try Exchange()
        try exchange.prepare(host, user: "shop/carol")
        let serving = try host.tokenFile(user: "shopbot", "--may-act-for", "shop")
        let plain = try host.tokenFile(user: "mallory")
        let call = ["--revision", "2026-07-28", "--call", "crypto_balance", "{}", "--allow-errors", "--http", host.url]
        let client = [Built.clientPython, Built.client]
        let good = try Program.run(client + call + ["--token-file", serving, "--principal", "carol"])
        #expect(good.status == 0 && good.output.contains("10000.00000000"), "\(good)")
        let other = try Program.run(client + call + ["--token-file", serving, "--principal", "dave"])
        #expect(other.output.contains("nexus secret set crypto-bot api_key --user shop/dave"), "\(other)")
        let bad = try Program.run(client + call + ["--token-file", plain, "--principal", "carol"])
        #expect(bad.status == 1 && !bad.output.contains("10000.00000000"), "\(bad)")
        let entry = try host.audit().first { $0["kind"]?.stringValue == "call" }
        #expect(entry?["actor"]?.stringValue == "shopbot")
        #expect(entry?["principal"]?.stringValue == "shop/carol")
        for file in [serving, plain] { try? FileManager.default.removeItem(atPath: file) }
    }
}
