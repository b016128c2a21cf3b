internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus plugin isolation crypto-bot --weakening-shared-users`
struct PluginIsolationCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "isolation", abstract: "Say how a plugin's users are kept apart, or weaken that.",
        discussion: """
            A plugin whose calls bring it users' credentials has a process for each user, whatever its manifest says, \
            so that no process ever holds those of two. --weakening-shared-users lets them share one all the same, and \
            shows in red in `nexus plugin permissions`. Without it the plugin is as it would be by itself. \
            Its processes are ended when this changes; calls under way are answered first.
            """)
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    @Flag(name: .customLong("weakening-shared-users"), help: "Weaken: one process for all users.")
    var sharesUsers = false

    func perform() async throws {
        let body: JSONValue = ["weakeningSharedUsers": .bool(sharesUsers)]
        let answer = try await host.client.json(.put, APIPath.isolation(of: plugin.name), body: body.encoded())
        host.output.show(answer) { answer in
            host.output.line("\(plugin.name): isolation \(answer.shown("isolation"))")
            PermissionText(output: host.output).show(answer)
        }
    }
}
