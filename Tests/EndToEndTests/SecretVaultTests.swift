import Foundation
import JSONBytes
import Testing

/// The store of secrets as an admin meets it: real processes, killed where it hurts.
@Suite(.serialized) struct SecretVaultTests {
    private static var root: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }

    /// All records of a home, opened with Python's `cryptography` by the script of docs/SECRETS.md.
    private func opened(_ home: String) throws -> Program.Outcome {
        let page = try String(contentsOfFile: "\(Self.root)/docs/SECRETS.md", encoding: .utf8)
        let script = try #require(
            page.components(separatedBy: "```python\n").last?.components(separatedBy: "```").first)
        return try Program.run([Built.clientPython, "-c", script, home])
    }

    /// Stores a value for each of many users in one process, as `nexus secret set` does for one.
    private func fill(_ host: TestHost, _ count: Int) throws {
        let script = """
            import http.client, socket, sys
            for number in range(int(sys.argv[2])):
                connection = http.client.HTTPConnection("localhost")
                connection.sock = socket.socket(socket.AF_UNIX)
                connection.sock.connect(sys.argv[1] + "/nexusd.sock")
                place = "plugin=crypto-bot&name=api_key&user=user%04d" % number
                connection.request("PUT", "/v1/secrets?" + place, body=b"value-%04d" % number)
                assert connection.getresponse().status == 200
                connection.close()
            """
        let outcome = try Program.run(["/usr/bin/python3", "-c", script, host.home, "\(count)"])
        try #require(outcome.status == 0, "\(outcome)")
    }

    @Test func killedAtAnyTimeOfARotationTheHostReadsEverySecret() throws {
        let count = 150
        let expected = (0..<count).map {
            "api_key 1 value-" + String(repeating: "0", count: 4 - "\($0)".count) + "\($0)\n"
        }
        let host = try TestHost()
        try host.install("crypto-bot")
        try fill(host, count)
        #expect(try opened(host.home).output == expected.joined())

        // The old key, which must open nothing once a rotation is over.
        let before = "/tmp/nexus-e2e-old-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: before, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: before) }
        try FileManager.default.copyItem(atPath: "\(host.home)/master.key", toPath: "\(before)/master.key")
        let start = Date()
        let rotated = try host.nexus("secret", "rotate-master")
        #expect(rotated.output == "\(count) versions are under the new master key; the old opens none\n", "\(rotated)")
        let duration = max(Date().timeIntervalSince(start), 0.2)
        try FileManager.default.createSymbolicLink(
            atPath: "\(before)/nexus.sqlite", withDestinationPath: "\(host.home)/nexus.sqlite")
        #expect(try opened(before).status != 0)

        for round in 0..<10 {
            let rotation = try Program.start(
                host.command(["secret", "rotate-master"]), environment: ["NEXUS_HOME": host.home])
            // The kill may fall before, into or after the rotation: the outcome must be the same.
            usleep(UInt32(duration * Double(round + 1) / 8 * 1_000_000))
            kill(host.processID, SIGKILL)
            #expect(eventually { !isAlive(host.processID) })
            _ = try rotation.finish(seconds: 30)
            try host.up()
            #expect(try opened(host.home).output == expected.joined(), "round \(round)")
            let log = try String(contentsOfFile: "\(host.home)/nexusd.log", encoding: .utf8)
            #expect(!log.contains("no secret is opened"), "round \(round): \(log.suffix(600))")
            #expect(!FileManager.default.fileExists(atPath: "\(host.home)/master.key.next"))
        }
        try fill(host, 1)
    }

    @Test func versionsAreRotatedShownAndRolledBackOnTheCommandLine() throws {
        let host = try TestHost()
        try host.install("crypto-bot")
        let place = ["crypto-bot", "api_key", "--user", "alice"]
        func secret(_ words: String..., input: String = "") throws -> Program.Outcome {
            try Program.run(
                host.command(["secret", words[0]] + place + words.dropFirst()),
                environment: ["NEXUS_HOME": host.home], input: input)
        }
        let missing = try secret("rotate", input: "CANARY-0\n")
        #expect(missing.status == 1 && missing.errors.contains("there is no such secret: api_key of alice"))
        #expect(try secret("set", input: "CANARY-1\n").output == "stored api_key for crypto-bot\n")
        let rotated = try secret("rotate", "--expires", "2099-01-31T00:00:00Z", input: "CANARY-2\n")
        #expect(rotated.output == "rotated api_key of crypto-bot\n", "\(rotated)")
        let back = try secret("rollback", "--to", "1")
        #expect(back.output == "version 1 of api_key is version 3 now\n", "\(back)")
        let shown = try secret("show")
        let rows = shown.output.split(separator: "\n").map { $0.split(separator: " ").first.map(String.init) }
        #expect(rows == ["VERSION", "3", "2", "1"] && shown.output.contains("2099-01-31T00:00:00Z"), "\(shown)")
        let list = try host.nexus("secret", "list")
        #expect(list.output.contains("LAST USED") && !list.output.contains("CANARY"), "\(list)")
        #expect(try secret("set", "--expires", "soon", input: "x\n").status == 64)
        #expect(try host.nexus("secret", "accept").output.hasPrefix("nothing to accept"))
        #expect(try opened(host.home).output == "api_key 1 CANARY-1\napi_key 2 CANARY-2\napi_key 3 CANARY-1\n")
    }

    @Test func restoredDatabaseOpensNothingUntilAnAdminAcceptsIt() throws {
        let host = try TestHost()
        try host.install("crypto-bot")
        let place = ["crypto-bot", "api_key", "--user", "alice"]
        func set(_ value: String) throws -> Program.Outcome {
            try Program.run(
                host.command(["secret", "set"] + place), environment: ["NEXUS_HOME": host.home], input: value)
        }
        #expect(try set("old").status == 0)
        try host.nexus("down")
        // With its write-ahead log: not all of it has to be in the file yet.
        let copy = "/tmp/nexus-e2e-copy-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        #expect(
            try Program.run(["/bin/sh", "-c", "mkdir \(copy) && cp -p \(host.home)/nexus.sqlite* \(copy)"]).status == 0)
        try host.up()
        #expect(try set("new").status == 0)
        try host.nexus("down")
        let restore = "rm \(host.home)/nexus.sqlite* && cp -p \(copy)/* \(host.home)"
        #expect(try Program.run(["/bin/sh", "-c", restore]).status == 0)
        try host.up()
        let words = "the secret api_key of alice for crypto-bot is at version 1 instead of 2"
        #expect(try set("newer").errors.contains(words))
        #expect(try String(contentsOfFile: "\(host.home)/nexusd.log", encoding: .utf8).contains(words))
        #expect(try host.nexus("secret", "accept").output.contains(words))
        #expect(try set("newer").status == 0)
    }

    @Test func aMasterKeyFromADescriptorLeavesNoneInTheHome() throws {
        let home = "/tmp/nexus-e2e-home-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: home) }
        let nexus = Person.available[0].prefix + [try Built.program("nexus")]
        let host = try Program.start(
            nexus + ["serve", "--home", home, "--port", "0", "--master-key-fd", "0"],
            input: String(repeating: "5a", count: 32) + "\n")
        defer {
            kill(host.process.processIdentifier, SIGTERM)
            _ = try? host.finish(seconds: 30)
        }
        #expect(eventually(within: 30) { FileManager.default.fileExists(atPath: "\(home)/nexusd.sock") })
        #expect(try Program.run(nexus + ["secret", "list", "--home", home]).status == 0)
        #expect(!FileManager.default.fileExists(atPath: "\(home)/master.key"))
    }
}
