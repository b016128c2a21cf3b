internal import ArgumentParser
internal import HostAPI
internal import JSONBytes
internal import PluginABI
internal import Registry

/// `nexus plugin upgrade`: as install, but the old version serves until the new one has shown that it works.
struct PluginUpgradeCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Replace a plugin by another version without losing a call; one that fails is taken back.")
    @OptionGroup var host: HostOptions

    @Argument(help: "A bundle, NAME-VERSION.nexus, or a directory with plugin.json and its executable.")
    var path: String

    @Flag(name: .shortAndLong, help: "Grant the permissions without asking.")
    var yes = false

    @Option(
        help: "How many seconds a failure of the new version brings the old one back (60, or what nexus.json says).")
    var probation: Int?

    func perform() async throws {
        let bundle = try await PluginInstallCommand.consented(path, yes: yes, host)
        let (name, version) = (bundle.manifest.name, bundle.manifest.version)
        let upgraded = try await Waiting.shown("waiting for \(name) \(version) to start and answer", isQuiet: host.json)
        {
            try await host.client.json(
                .post, APIPath.plugin(name, "upgrade"),
                query: probation.map { [("probationSeconds", "\($0)")] } ?? [], body: bundle.upload)
        }
        host.output.show(upgraded) { plugin in
            host.output.line(
                "upgraded \(plugin.shown("name")) \(plugin.shown("previous")) to \(plugin.shown("version"))  "
                    + "\(plugin.shown("digest"))")
            host.output.line(
                "for \(plugin.shown("probationSeconds")) s, the old version comes back if the new one fails")
        }
    }
}
