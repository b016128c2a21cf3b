internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus reload`.
struct ReloadCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Read nexus.json in the host's home again; no plugin is restarted.",
        discussion: "A file with a mistake changes nothing. SIGHUP to nexusd does the same.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        host.output.show(try await host.client.json(.post, APIPath.reload)) { change in
            let changed = change.list("changed").isEmpty ? "none" : change.shown("changed")
            host.output.line("settings changed of: \(changed); as before: \(change.shown("unchanged"))")
            if change["budgetChanged"]?.boolValue == true { host.output.line("the budget changed") }
            if !change.list("notInstalled").isEmpty {
                host.output.line("settings of plugins that are not installed: \(change.shown("notInstalled"))")
            }
        }
    }
}
