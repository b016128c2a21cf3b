import Foundation
import JSONBytes
import Testing

/// Credentials move from files of other tools into the store of a real host.
@Suite(.serialized) struct SecretImportTests {
    private static let key = "canary-key-0123456789"
    private static let shared = "canary-shared-9876543210"

    private func file(_ text: String) throws -> String {
        let path = "/tmp/nexus-e2e-import-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func anEnvFileIsMovedOnceShownByNameAndLeftAsItIs() throws {
        let host = try TestHost()
        try host.install("echo")
        let text = """
            # made by hand
            export EXCHANGE_API_KEY="\(Self.key)"
            SHARED_KEY=\(Self.shared) # for all
            OTHER=canary-other
            canary-line without a sign
            """
        let path = try file(text)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let tried = try host.nexus("secret", "import", "--env-file", path, "--plugin", "echo", "--dry-run")
        #expect(tried.status == 0 && tried.output.contains("would be stored"), "\(tried)")
        #expect(try host.nexus("secret", "list", "--json").json()["secrets"] == [])
        let moved = try host.nexus("secret", "import", "--env-file", path, "--plugin", "echo")
        #expect(moved.status == 0, "\(moved)")
        for part in ["EXCHANGE_API_KEY", "api_key", "shared_key", "line 4", "line 5", "was not changed"] {
            #expect(moved.output.contains(part), "\(part): \(moved)")
        }
        for part in ["canary", Self.key, Self.shared] {
            #expect(!"\(tried)\(moved)".contains(part), "\(part)")
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        let call = try host.call("credentials")
        #expect(call.status == 0 && call.output.contains("\(Self.key.utf8.count)"), "\(call)")
        let before = try host.nexus("secret", "list", "--json").json()
        let again = try host.nexus("secret", "import", "--env-file", path, "--plugin", "echo", "--json").json()
        #expect(
            again["moved"]?.arrayValue?.compactMap { $0["outcome"]?.stringValue } == ["there already", "there already"])
        #expect(try host.nexus("secret", "list", "--json").json() == before, "no new versions")
    }

    @Test func anAgentsConfigurationIsMovedByServerOrMapping() throws {
        let host = try TestHost()
        try host.install("echo")
        let path = try file(
            #"{"mcpServers": {"echo": {"command": "x", "env": {"API_KEY": "\#(Self.key)"}},"#
                + #" "other": {"env": {"TOKEN": "\#(Self.shared)", "R": "${input:r}"}}}}"#)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let moved = try host.nexus(
            "secret", "import", "--mcp-config", path, "--map", "TOKEN=echo/shared_key", "--json")
        #expect(moved.status == 0 && !moved.output.contains("canary"), "\(moved)")
        #expect(
            try moved.json()["moved"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["api_key", "shared_key"])
        #expect(try moved.json()["unreadable"] == ["R (server other)"])
        #expect(try host.call("credentials").status == 0)
        for wrong in [["--map", "NONE=echo/api_key"], ["--map", "TOKEN=echo/none"], ["--server", "none"]] {
            let outcome = try Program.run(
                host.command(["secret", "import", "--mcp-config", path] + wrong), environment: ["NEXUS_HOME": host.home]
            )
            #expect(outcome.status == 64 && !"\(outcome)".contains("canary"), "\(outcome)")
        }
        #expect(try host.nexus("secret", "import", "--env-file", "/nonexistent", "--plugin", "echo").status == 66)
        #expect(try host.nexus("secret", "import", "--env-file", path).status == 64, "whose?")
    }
}
