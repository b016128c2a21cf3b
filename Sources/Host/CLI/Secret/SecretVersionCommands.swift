internal import ArgumentParser
internal import HostAPI
internal import JSONBytes
internal import PluginABI

struct SecretRotateCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Store a new value of a credential that is there already.",
        discussion: "The older values are kept; `nexus secret rollback` brings one back.")
    @OptionGroup var host: HostOptions
    @OptionGroup var place: SecretPlace
    @OptionGroup var expiry: SecretExpiry

    func perform() async throws {
        var value = try HiddenInput.read(prompt: "New value of \(place.name) (hidden): ")
        defer { value.wipe() }
        guard !value.isEmpty else { throw CommandFailure("the value is empty; nothing was stored") }
        let query = place.query + [("existing", "1")] + (try expiry.query())
        let answer = try await host.client.json(.put, APIPath.secrets, query: query, body: value)
        host.output.show(answer) { _ in host.output.line("rotated \(place.name) of \(place.plugin)") }
    }
}

struct SecretShowCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a credential's versions, not their values.")
    @OptionGroup var host: HostOptions
    @OptionGroup var place: SecretPlace

    func perform() async throws {
        let answer = try await host.client.json(.get, APIPath.secretVersions, query: place.query)
        host.output.show(answer) { answer in
            let rows = answer.list("versions").map { version in
                [version.shown("version")] + ["created", "expires"].map { SecretTime.shown(version[$0]) }
            }
            host.output.table(["VERSION", "CREATED", "EXPIRES"], rows)
        }
    }
}

struct SecretRollbackCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Make the value of an older version the current one again.")
    @OptionGroup var host: HostOptions
    @OptionGroup var place: SecretPlace

    @Option(name: .customLong("to"), help: ArgumentHelp("The version, from `nexus secret show`.", valueName: "version"))
    var version: Int

    func perform() async throws {
        let query = place.query + [("version", String(version))]
        let answer = try await host.client.json(.post, APIPath.secretRollback, query: query)
        host.output.show(answer) { answer in
            host.output.line("version \(version) of \(place.name) is version \(answer.shown("version")) now")
        }
    }
}

struct SecretRotateMasterCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-master", abstract: "Put all credentials under a new master key, while calls go on.",
        discussion: """
            The host makes the key where it keeps it in its home. Where it was given a passphrase or a key at its \
            start, give the next one with --input, and from then on at each start.
            """)
    @OptionGroup var host: HostOptions

    @Flag(help: "Read the next passphrase or key from a hidden prompt or standard input.")
    var input = false

    func perform() async throws {
        var next = input ? try HiddenInput.read(prompt: "Next passphrase or key (hidden): ") : []
        defer { next.wipe() }
        let answer = try await host.client.json(.post, APIPath.masterKey, body: next)
        host.output.show(answer) { answer in
            host.output.line("\(answer.shown("versions")) versions are under the new master key; the old opens none")
        }
    }
}

struct SecretAcceptCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Keep the stored credentials as they are, after a restored backup.",
        discussion: "A host opens none while the database is not the one that the audit log tells of.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        let answer = try await host.client.json(.post, APIPath.acceptSecrets)
        host.output.show(answer) { answer in
            guard let reason = answer["accepted"]?.stringValue else {
                return host.output.line("nothing to accept: the credentials are those that the audit log tells of")
            }
            host.output.line("accepted, although: \(reason)")
        }
    }
}
