internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus status`.
struct StatusCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show the host and how it runs.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        host.output.show(try await host.client.json(.get, APIPath.status)) { status in
            host.output.line(
                "nexusd \(status.shown("version")), process \(status.shown("processID")), uid \(status.shown("userID"))"
            )
            host.output.line("home      \(status.shown("home"))")
            host.output.line("mcp       \(status.shown("mcp"))")
            let launcher =
                status["jailsAsRoot"]?.boolValue == true ? "as root, each jail under a user of its own" : "unprivileged"
            host.output.line("jails     by nexus-jail, process \(status.shown("launcherID")), \(launcher)")
            host.output.line("plugins   \(status.shown("installed")) installed, \(status.shown("running")) running")
        }
    }
}
