import Foundation
import JSONBytes
import Testing

/// A credential is used in calls and then looked for where it must not be.
@Suite(.serialized) struct SecrecyTests {
    @Test(arguments: Person.available)
    func aUsedCredentialStandsInNoFileEnvironmentOrCommandLine(person: Person) throws {
        let host = try TestHost(person)
        let exchange = try Exchange()
        try exchange.prepare(host, user: person.name)
        for _ in 0..<5 { #expect(try host.call("crypto_balance").status == 0) }
        for file in try FileManager.default.subpathsOfDirectory(atPath: host.home) {
            guard let bytes = FileManager.default.contents(atPath: "\(host.home)/\(file)") else { continue }
            for value in [Exchange.key, Exchange.secret] {
                #expect(bytes.range(of: Data(value.utf8)) == nil, "a credential stands in \(file)")
            }
        }
        for process in try [host.processID] + host.descendants() {
            for part in ["environ", "cmdline"] {
                let bytes = FileManager.default.contents(atPath: "/proc/\(process)/\(part)") ?? Data()
                #expect(bytes.range(of: Data(Exchange.secret.utf8)) == nil, "\(process) \(part)")
                #expect(bytes.range(of: Data(Exchange.key.utf8)) == nil, "\(process) \(part)")
            }
        }
    }

    @Test func aUserWithoutACredentialIsToldHowToSetItAndNeverGetsAnothers() throws {
        let host = try TestHost()
        let exchange = try Exchange()
        try exchange.prepare(host, user: "alice")
        let token = try host.tokenFile(user: "bob")
        let outcome = try Program.run([
            Built.clientPython, Built.client, "--revision", "2026-07-28", "--http", host.url, "--token-file", token,
            "--call", "crypto_balance", "{}", "--allow-errors",
        ])
        #expect(outcome.output.contains("nexus secret set crypto-bot api_key --user bob"), "\(outcome)")
        #expect(!outcome.output.contains("10000.00000000"))
        let removed = try host.nexus("secret", "rm", "crypto-bot", "api_key", "--user", "alice")
        #expect(removed.status == 0, "\(removed)")
        #expect(try host.nexus("secret", "list", "--json").json()["secrets"]?.arrayValue?.count == 1)
        try? FileManager.default.removeItem(atPath: token)
    }

    @Test func aPluginSeesItsCredentialInTheCallAndNothingOfTheHost() throws {
        let host = try TestHost()
        try host.install("echo")
        let owner = host.person.name
        try host.nexus("secret", "set", "echo", "api_key", "--user", owner, input: "0123456789")
        try host.nexus("secret", "set", "echo", "shared_key", "--global", input: "abc")
        let seen = try host.call("credentials")
        #expect(
            seen.output.contains("api_key") && seen.output.contains("10") && !seen.output.contains("0123456789"),
            "\(seen)")
        let around = try host.call("environment").json()
        #expect(around["variables"] == [], "\(around.text)")
        #expect(around["descriptors"] == [0, 1, 2, 3], "\(around.text)")
    }
}
