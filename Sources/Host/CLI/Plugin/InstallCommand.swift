internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import PluginABI
internal import Registry

/// `nexus plugin install`: shows what the plugin asks for, asks the admin, and only then hands it to the host.
struct PluginInstallCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Install a plugin from a bundle or directory, after showing its wishes.")
    @OptionGroup var host: HostOptions

    @Argument(help: "A bundle, NAME-VERSION.nexus, or a directory with plugin.json and its executable.")
    var path: String

    @Flag(name: .shortAndLong, help: "Grant the permissions without asking.")
    var yes = false

    func perform() async throws {
        let bundle = try await Self.consented(path, yes: yes, host)
        let installed = try await host.client.json(.post, APIPath.plugins, body: bundle.upload)
        host.output.show(installed) { plugin in
            host.output.line("installed \(plugin.shown("name")) \(plugin.shown("version"))  \(plugin.shown("digest"))")
        }
    }

    /// The bundle, once the admin has seen what it asks for and agreed.
    static func consented(_ path: String, yes: Bool, _ host: HostOptions) async throws -> PluginBundle {
        let bundle: PluginBundle
        do {
            bundle = try PluginBundle.load(path)
        } catch {
            throw CommandFailure("nothing was installed: \(error.message)")
        }
        var offer = HostOffer.nexus
        let status = try await host.client.json(.get, APIPath.status)
        offer.boundsProcessorTime = status["boundsProcessorTime"]?.boolValue == true
        if !host.json { PermissionText(output: host.output).show(PermissionText.json(bundle.manifest, on: offer)) }
        guard yes || confirmed(host) else {
            throw CommandFailure("nothing was installed; add --yes to grant these permissions without a terminal")
        }
        return bundle
    }

    private static func confirmed(_ host: HostOptions) -> Bool {
        guard isatty(STDIN_FILENO) == 1, !host.json else { return false }
        FileHandle.standardError.write(Data("Grant this and install? [y/N] ".utf8))
        return readLine().map { ["y", "yes"].contains($0.lowercased()) } ?? false
    }
}
