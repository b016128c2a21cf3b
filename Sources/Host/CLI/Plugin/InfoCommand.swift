internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// What `info`, `start` and `stop` print.
struct PluginText {
    let output: Output

    func show(_ plugin: JSONValue) {
        output.line(
            "\(output.bold(plugin.shown("name"))) \(plugin.shown("version")) (\(plugin.shown("kind"))): "
                + plugin.shown("description")
        )
        let since = plugin["since"]?.intValue == nil ? "" : " since \(IncidentText.time(plugin, "since"))"
        output.line("state      \(plugin.shown("state"))\(since)   instance \(plugin.shown("instance"))")
        if let cause = plugin["cause"]?.stringValue { output.line("cause      \(output.red(cause))") }
        output.line("executable \(plugin.shown("digest"))")
        output.line()
        PermissionText(output: output).show(plugin)
        output.line()
        output.table(
            ["TOOL", "WHAT IT DOES"],
            plugin.list("tools").map { [$0.shown("name"), String($0.shown("description").prefix(80))] })
        let layers = plugin.list("layers")
        if !layers.isEmpty { output.line() }
        output.table(
            ["LAYER OF ITS JAIL", "STATE", "DETAIL"],
            layers.map { [$0.shown("layer"), $0.shown("state"), $0.shown("detail")] })
        let log = plugin.list("recentLog").compactMap(\.stringValue)
        if !log.isEmpty { output.line("\n" + output.bold("LAST WORDS")) }
        for line in log { output.line("  \(line)") }
    }
}

struct PluginInfoCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show a plugin: state, permissions, tools, the layers of its jail.")
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    func perform() async throws {
        let answer = try await host.client.json(.get, APIPath.plugin(plugin.name))
        host.output.show(answer) { PluginText(output: host.output).show($0) }
    }
}

struct PluginPermissionsCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions", abstract: "Show what a plugin may do; weakenings in red.")
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    func perform() async throws {
        let answer = try await host.client.json(.get, APIPath.plugin(plugin.name))
        if host.json {
            host.output.line((answer["permissions"] ?? .null).text)
        } else {
            PermissionText(output: host.output).show(answer)
        }
    }
}
