import Foundation
import JSONBytes
import Testing

/// Sealed credentials through the real parts: the host signs, the plugin never sees the key, and nexusd keeps none.
@Suite(.serialized) struct SealedTests {
    /// A private key, and the forms in which it could be found in memory.
    struct Key {
        var value: String
        var needles: [String: [UInt8]]
    }

    @Test(arguments: ["hmac", "ed25519", "rsa"])
    func aSealedKeyIsNowhereInThePluginNorInTheHostAfterTheCall(kind: String) throws {
        let host = try TestHost()
        let exchange = try Exchange()
        try exchange.prepare(host, user: host.person.name)
        let key = try Self.key(kind)
        try host.nexus(
            "secret", "set", "crypto-bot", "api_secret", "--user", host.person.name, input: key.value)
        for _ in 0..<5 {
            let outcome = try host.call("crypto_balance")
            // The exchange knows another secret: that it says so shows that it was sent a signature.
            #expect(outcome.status != 0 && outcome.errors.contains("-1022"), "\(outcome)")
        }
        let plugin = try #require(try Self.plugin(of: host))
        sleep(1)
        let home = ["the home": Array(host.home.utf8)]
        #expect(
            try ProcessMemory(process: host.processID).found(key.needles.merging(home) { $1 }) == ["the home"])
        let name = ["its name": Array("api_secret".utf8)]
        let apiKey = ["the API key": Array(Exchange.key.utf8)]
        #expect(
            try ProcessMemory(process: plugin).found(key.needles.merging(name) { $1 }.merging(apiKey) { $1 })
                == ["its name"])
    }

    @Test(arguments: [true, false]) func cryptoBotWorksInBothModes(sealed: Bool) throws {
        let host = try TestHost()
        let exchange = try Exchange()
        try exchange.prepare(host, user: host.person.name)
        if !sealed {
            let folder = try Self.deliveredWithTheCall()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let outcome = try host.nexus("plugin", "install", folder, "--yes", "--json")
            #expect(outcome.status == 0, "\(outcome)")
            // What was given as sealed is not handed over before an admin says so.
            for name in ["api_key", "api_secret"] {
                let refused = try host.call("crypto_balance")
                #expect(refused.errors.contains("nexus secret grants crypto-bot --grant \(name)"), "\(refused)")
                try host.nexus("secret", "grants", "crypto-bot", "--grant", name)
            }
        }
        let shown = try host.nexus("plugin", "permissions", "crypto-bot").output
        #expect(shown.contains("without seeing it") == sealed, "\(shown)")
        #expect(shown.contains("signs query and body with api_secret, as Binance does") == sealed)
        let balance = try host.call("crypto_balance")
        #expect(balance.status == 0 && balance.output.contains("10000.00000000"), "\(balance)")
        let wish = #"{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.01"}"#
        let order = try host.call("crypto_order", wish)
        #expect(order.status == 0 && order.output.contains("accepted"), "\(order)")
        try host.nexus("secret", "rm", "crypto-bot", "api_secret", "--user", host.person.name)
        let missing = try host.call("crypto_balance")
        #expect(missing.errors.contains("needs the credential api_secret"), "\(missing)")
    }

    /// crypto-bot with the same program and its credentials delivered with the call.
    private static func deliveredWithTheCall() throws -> String {
        let folder = "/tmp/nexus-e2e-call-\(UUID().uuidString.prefix(8))"
        try FileManager.default.copyItem(atPath: try Built.plugin("crypto-bot"), toPath: folder)
        let path = URL(fileURLWithPath: "\(folder)/plugin.json")
        let manifest = try JSONValue(parsing: Array(try Data(contentsOf: path)))
        try Data(without(["sealed", "delivery"], manifest).encoded()).write(to: path)
        return folder
    }

    private static func without(_ names: Set<String>, _ value: JSONValue) -> JSONValue {
        if let items = value.arrayValue { return .array(items.map { without(names, $0) }) }
        guard let object = value.objectValue else { return value }
        let kept = object.members.filter { !names.contains($0.key) }
        return .object(JSONObject(kept.map { (key: $0.key, value: without(names, $0.value)) }))
    }

    private static func plugin(of host: TestHost) throws -> Int32? {
        try host.descendants().first { process in
            let name = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
            return name?.contains("crypto-bot") == true
        }
    }

    private static func key(_ kind: String) throws -> Key {
        if kind == "hmac" {
            // Random, so that it stands in no program; long, so that freed memory is not reused at once.
            let text = (0..<96).map { _ in String(UInt8.random(in: 0...35), radix: 36) }.joined()
            return Key(
                value: text,
                needles: [
                    "the secret": Array(text.utf8), "its first half": Array(text.utf8.prefix(40)),
                    "its inner pad": text.utf8.prefix(40).map { $0 ^ 0x36 },
                    "its outer pad": text.utf8.prefix(40).map { $0 ^ 0x5C },
                    "base64": Array(Data(text.utf8.prefix(42)).base64EncodedString().utf8),
                    "hex": Array(text.utf8.prefix(40).map { String(format: "%02x", $0) }.joined().utf8),
                ])
        }
        let algorithm = kind == "rsa" ? ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] : ["ED25519"]
        let pem = try Program.run(["/usr/bin/openssl", "genpkey", "-algorithm"] + algorithm).output
        let der = try #require(
            Data(
                base64Encoded: pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()))
        // Of Ed25519 the seed; of RSA a piece in the first prime, in either order of its bytes.
        let part = Array(kind == "rsa" ? der[600..<640] : der.suffix(32))
        return Key(
            value: pem,
            needles: [
                "its text": Array(pem.split(separator: "\n")[1].utf8.suffix(40)), "its bytes": part,
                "its words": part.reversed(),
            ])
    }
}
