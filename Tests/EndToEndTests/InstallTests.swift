import Foundation
import JSONBytes
import Testing

/// Manifests and arguments that must be refused, in words that name the field.
@Suite(.serialized) struct InstallTests {
    @Test func aBadManifestIsRefusedWithFieldAndReasonAndNothingIsInstalled() throws {
        let host = try TestHost()
        let good = try String(contentsOfFile: "\(try Built.plugin("echo"))/plugin.json", encoding: .utf8)
        let cases: [(name: String, text: String, words: String)] = [
            ("malformed", String(good.dropLast(4)), "plugin.json"),
            (
                "unknown-permission",
                good.replacing("\"credentials\": [\n", with: "\"file-system\": [], \"credentials\": [\n"),
                "permissions.file-system: unknown permission"
            ),
            ("missing-executable", good.replacing("bin/echo", with: "bin/absent"), "runtime.executable"),
            ("executable-outside", good.replacing("bin/echo", with: "../../bin/sh"), "runtime.executable"),
            ("no-version", good.replacing("\"version\": \"1.0.0\",", with: ""), "version: is missing"),
            ("unknown-kind", good.replacing("\"kind\": \"tool\"", with: "\"kind\": \"virus\""), "kind"),
        ]
        for item in cases {
            let folder = "/tmp/nexus-e2e-bad-\(UUID().uuidString.prefix(8))"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try FileManager.default.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "\(try Built.plugin("echo"))/bin/echo", toPath: "\(folder)/bin/echo")
            try item.text.write(toFile: "\(folder)/plugin.json", atomically: false, encoding: .utf8)
            let outcome = try host.nexus("plugin", "install", folder, "--yes")
            #expect(outcome.status == 1, "\(item.name): \(outcome)")
            #expect(
                outcome.errors.contains("nothing was installed") && outcome.errors.contains(item.words),
                "\(item.name): \(outcome)")
        }
        #expect(try host.nexus("plugin", "list", "--json").json()["plugins"] == [])
    }

    @Test func installingWithoutATerminalNeedsYes() throws {
        let host = try TestHost()
        let outcome = try host.nexus("plugin", "install", try Built.plugin("crypto-bot"))
        #expect(outcome.status == 1)
        #expect(
            outcome.output.contains("https://api.binance.com/api/v3/"), "the permissions are shown first: \(outcome)")
        #expect(outcome.errors.contains("--yes"))
    }

    @Test func argumentsThatDoNotFitTheSchemaGetAnErrorThatAnAgentCanActOn() throws {
        let host = try TestHost()
        try host.install("echo")
        let cases = [
            (#"{"ms":"soon"}"#, "/ms: must be integer, found string"), ("{}", "\"ms\" is required and missing"),
            (#"{"ms":-1}"#, "/ms: must be at least 0"),
            (#"{"ms":1,"x":2}"#, "/x: is not an argument of this tool; it takes: ms"),
        ]
        for (arguments, words) in cases {
            let outcome = try host.call("sleep", arguments)
            let failure = try JSONValue(parsing: outcome.errors)["error"]
            #expect(failure?["code"]?.stringValue == "invalid-arguments", "\(outcome)")
            #expect(failure?["message"]?.stringValue?.contains(words) == true, "\(outcome)")
        }
        #expect(try host.audit().count { $0["kind"]?.stringValue == "refused" } == cases.count)
        #expect(try host.state(of: "echo")["state"]?.stringValue == "stopped", "a refused call starts nothing")
    }

    @Test func aDevelopmentEndpointShowsAsAWeakening() throws {
        let host = try TestHost()
        try host.install("crypto-bot")
        try host.nexus("plugin", "endpoint", "crypto-bot", "exchange=https://127.0.0.1:1", "--dev-loopback")
        #expect(
            try host.nexus("plugin", "permissions", "crypto-bot").output.contains(
                "WEAKENED: exchange leads to https://127.0.0.1:1"))
        try host.nexus("plugin", "endpoint", "crypto-bot", "exchange=https://127.0.0.1:1")
        let refused = try host.call("crypto_price", #"{"symbol":"BTCUSDT"}"#)
        #expect(refused.errors.contains("a loopback address of this host"), "\(refused)")
    }
}
