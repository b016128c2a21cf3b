internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

struct PluginListCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List plugins and their state.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        host.output.show(try await host.client.json(.get, APIPath.plugins)) { answer in
            let rows = answer.list("plugins").map { plugin in
                ["name", "version", "kind", "state"].map { plugin.shown($0) } + [IncidentText.time(plugin, "since")]
                    + ["tools", "cause"].map { plugin.shown($0) }
            }
            if rows.isEmpty { host.output.line("no plugins are installed; see `nexus plugin install --help`") }
            host.output.table(["PLUGIN", "VERSION", "KIND", "STATE", "SINCE", "TOOLS", "CAUSE"], rows)
        }
    }
}
