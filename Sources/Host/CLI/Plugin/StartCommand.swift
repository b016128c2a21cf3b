internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

struct PluginStartCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a plugin now and whenever the host starts; a parked one starts again.")
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    func perform() async throws {
        let answer = try await host.client.json(.post, APIPath.plugin(plugin.name, "start"))
        host.output.show(answer) { PluginText(output: host.output).show($0) }
    }
}

struct PluginStopCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a plugin: calls in flight may end, then it is disposed of.")
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    func perform() async throws {
        let answer = try await host.client.json(.post, APIPath.plugin(plugin.name, "stop"))
        host.output.show(answer) { host.output.line("\($0.shown("name")) is \($0.shown("state"))") }
    }
}

struct PluginRemoveCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Stop a plugin and remove it, with its endpoints and the secrets kept for it."
    )
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    func perform() async throws {
        let answer = try await host.client.json(.delete, APIPath.plugin(plugin.name))
        host.output.show(answer) { _ in host.output.line("removed \(plugin.name)") }
    }
}
