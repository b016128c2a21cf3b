internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus up`: a host in the background.
struct UpCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start the host in the background and wait until it is ready.")
    @OptionGroup var host: HostOptions
    @OptionGroup var start: StartOptions

    func perform() async throws {
        let isNew = try await DaemonProcess(home: host.homePath).ensure(arguments: start.arguments)
        let status = try await host.client.json(.get, APIPath.status)
        host.output.show(status) { status in
            let what = isNew ? "started" : "already running"
            host.output.line(
                "nexusd \(status.shown("version")) \(what): process \(status.shown("processID")), "
                    + "home \(status.shown("home"))"
            )
            host.output.line("MCP: \(status.shown("mcp"))   token: \(HomePath.firstToken(home: host.homePath))")
        }
    }
}
