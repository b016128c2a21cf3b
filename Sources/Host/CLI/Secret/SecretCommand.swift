internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import PluginABI

struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Keep the credentials that plugins may be lent.",
        subcommands: [
            SecretSetCommand.self, SecretRotateCommand.self, SecretListCommand.self, SecretShowCommand.self,
            SecretRollbackCommand.self, SecretRemoveCommand.self, SecretRotateMasterCommand.self,
            SecretAcceptCommand.self, SecretGrantsCommand.self, SecretRequestCommand.self,
            SecretImportCommand.self,
        ])
}

/// Which secret.
struct SecretPlace: ParsableArguments {
    @Argument(help: "The plugin that declares the credential.")
    var plugin: String

    @Argument(help: "The credential's name.")
    var name: String

    @Option(help: "Whose it is: a user, or group/user; by default yourself.")
    var user: String?

    @Flag(help: "For everybody; of a user credential, for who has none of their own.")
    var global = false

    func validate() throws {
        if global, user != nil { throw ValidationError("--global and --user exclude each other") }
    }

    var query: [(String, String)] {
        [("plugin", plugin), ("name", name)] + (user.map { [("user", $0)] } ?? []) + (global ? [("global", "1")] : [])
    }
}

struct SecretSetCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Store a credential, read from a hidden prompt or standard input.",
        discussion:
            "The value is never taken from the command line: arguments can be seen by every user of the machine.")
    @OptionGroup var host: HostOptions
    @OptionGroup var place: SecretPlace
    @OptionGroup var expiry: SecretExpiry

    func perform() async throws {
        var value = try HiddenInput.read(prompt: "Value of \(place.name) (hidden): ")
        defer { value.wipe() }
        guard !value.isEmpty else { throw CommandFailure("the value is empty; nothing was stored") }
        let query = place.query + (try expiry.query())
        let answer = try await host.client.send(.put, APIPath.secrets, query: query, body: value)
        if host.json {
            host.output.line(String(decoding: answer, as: UTF8.self))
        } else {
            host.output.line("stored \(place.name) for \(place.plugin)")
        }
    }
}

struct SecretListCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List stored credentials, not their values.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        host.output.show(try await host.client.json(.get, APIPath.secrets)) { answer in
            let rows = answer.list("secrets").map { secret in
                ["plugin", "name", "scope", "user", "version"].map { secret.shown($0) }
                    + ["expires", "used"].map { SecretTime.shown(secret[$0]) }
            }
            if rows.isEmpty { host.output.line("no credentials are stored; see `nexus secret set --help`") }
            host.output.table(["PLUGIN", "NAME", "SCOPE", "USER", "VERSION", "EXPIRES", "LAST USED"], rows)
        }
    }
}

struct SecretRemoveCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove a stored credential.")
    @OptionGroup var host: HostOptions
    @OptionGroup var place: SecretPlace

    func perform() async throws {
        let answer = try await host.client.json(.delete, APIPath.secrets, query: place.query)
        host.output.show(answer) { _ in host.output.line("removed \(place.name) of \(place.plugin)") }
    }
}
