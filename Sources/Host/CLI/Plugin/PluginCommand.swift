internal import ArgumentParser

struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Install plugins and look after them.",
        subcommands: [
            PluginInstallCommand.self, PluginUpgradeCommand.self, PluginListCommand.self, PluginInfoCommand.self,
            PluginPermissionsCommand.self, PluginLogsCommand.self, PluginIncidentsCommand.self,
            PluginEndpointCommand.self, PluginIsolationCommand.self, PluginStartCommand.self, PluginStopCommand.self,
            PluginRemoveCommand.self,
        ])
}

/// The plugin that a command is about.
struct PluginName: ParsableArguments {
    @Argument(help: "The plugin's name.")
    var name: String
}
