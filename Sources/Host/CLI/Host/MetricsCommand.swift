internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus metrics`.
struct MetricsCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print the host's metrics, as Prometheus reads them.",
        discussion: "A monitor reads the same at /metrics of the MCP port; see `nexus token create --metrics`.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        let text = String(decoding: try await host.client.send(.get, APIPath.metrics), as: UTF8.self)
        guard host.json else { return print(text, terminator: "") }
        host.output.line(JSONValue.object(JSONObject([(key: "text", value: .string(text))])).text)
    }
}
