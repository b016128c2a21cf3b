import Foundation
import JSONBytes

/// The exchange simulator, and the keys that it knows (Binance's published examples).
final class Exchange {
    static let key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    static let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    let url: String
    let authority: String
    private let running: Program.Running
    private let folder: String

    init() throws {
        folder = "/tmp/nexus-e2e-exchange-\(UUID().uuidString.prefix(8))"
        running = try Program.start([try Built.program("exchange-simulator"), "--directory", folder])
        let process = running
        guard eventually(within: 30, { process.output.contains("\n") }) else {
            throw Failure("the exchange did not start")
        }
        let ready = try JSONValue(parsing: String(running.output.prefix { $0 != "\n" }))
        url = ready["url"]?.stringValue ?? ""
        authority = "/tmp/nexus-e2e-ca-\(UUID().uuidString).pem"
        try FileManager.default.copyItem(atPath: ready["ca"]?.stringValue ?? "", toPath: authority)
        chmod(authority, 0o644)
    }

    deinit {
        kill(running.process.processIdentifier, SIGTERM)
        _ = try? running.finish(seconds: 10)
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.removeItem(atPath: authority)
    }

    /// Installs crypto-bot, leads it here, and stores a user's key.
    func prepare(_ host: TestHost, user: String) throws {
        try host.install("crypto-bot")
        let lead = try host.nexus(
            "plugin", "endpoint", "crypto-bot", "exchange=\(url)", "--ca", authority, "--dev-loopback")
        guard lead.status == 0 else { throw Failure("\(lead)") }
        for (name, value) in [("api_key", Self.key), ("api_secret", Self.secret)] {
            let set = try host.nexus("secret", "set", "crypto-bot", name, "--user", user, input: value + "\n")
            guard set.status == 0 else { throw Failure("\(set)") }
        }
    }
}
