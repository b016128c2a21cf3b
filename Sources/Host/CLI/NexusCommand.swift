internal import ArgumentParser

/// `nexus`: the command line of a host. It talks to nexusd over a Unix socket and links none of its core.
@main
struct NexusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nexus",
        abstract: "Run plugins that nobody has to trust.",
        discussion: """
            Exit codes: 0 done · 1 refused or failed · 3 no nexusd is running in this home · 64 wrong usage · \
            75 home or port in use · 124 to 127 for sandbox run, see there. Every command takes --json.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Host",
                subcommands: [
                    ServeCommand.self, UpCommand.self, DownCommand.self, StatusCommand.self, ReloadCommand.self,
                    TopCommand.self,
                    MetricsCommand.self, DoctorCommand.self,
                ]),
            CommandGroup(
                name: "Plugins and tools", subcommands: [PluginCommand.self, ToolCommand.self, MCPCommand.self]),
            CommandGroup(
                name: "Writing plugins",
                subcommands: [NewCommand.self, DevCommand.self, ConformCommand.self, PackCommand.self]),
            CommandGroup(
                name: "Trust",
                subcommands: [
                    SecretCommand.self, TokenCommand.self, AuditCommand.self, SandboxCommand.self,
                ]),
        ])
}
