internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// `nexus plugin endpoint crypto-bot exchange=https://127.0.0.1:9443 --ca FILE --dev-loopback`
struct PluginEndpointCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoint", abstract: "Lead a plugin's endpoint to another server, or back.",
        discussion: """
            A connection of net.connect is called HOST:PORT and leads to another HOST:PORT. \
            Loopback addresses are refused to plugins. --dev-loopback lets this endpoint reach the one address that \
            you name, and shows in red in `nexus plugin permissions`.
            """)
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    @Argument(
        help: ArgumentHelp(
            "ENDPOINT=https://HOST[:PORT], HOST:PORT=HOST:PORT, or the name alone to lead it back.",
            valueName: "endpoint"))
    var target: String

    @Option(help: ArgumentHelp("PEM file of the only authority to trust there.", valueName: "file"))
    var ca: String?

    @Flag(name: .customLong("dev-loopback"), help: "Weaken: allow this one loopback address.")
    var loopback = false

    func perform() async throws {
        let parts = target.split(separator: "=", maxSplits: 1).map(String.init)
        guard let endpoint = parts.first else { throw CommandFailure("name an endpoint") }
        let path = APIPath.endpoint(endpoint, of: plugin.name)
        let answer: JSONValue
        if parts.count == 2 {
            let body: JSONValue = [
                "origin": .string(parts[1]), "authority": try authority(), "loopback": .bool(loopback),
            ]
            answer = try await host.client.json(.put, path, body: body.encoded())
        } else {
            answer = try await host.client.json(.delete, path)
        }
        host.output.show(answer) { PermissionText(output: host.output).show($0) }
    }

    private func authority() throws -> JSONValue {
        guard let ca else { return .null }
        guard let text = try? String(contentsOfFile: ca, encoding: .utf8), text.contains("BEGIN CERTIFICATE") else {
            throw CommandFailure("--ca: \(ca) is not a readable PEM certificate")
        }
        return .string(text)
    }
}
