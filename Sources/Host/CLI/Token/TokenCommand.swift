internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make and revoke the tokens that agents show.",
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

struct TokenCreateCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a token. It is shown once and kept as a hash.")
    @OptionGroup var host: HostOptions

    @Option(help: "The user whom the token stands for.")
    var user: String

    @Option(
        help: ArgumentHelp("Let it act for end users of this group, named in a request's _meta.", valueName: "group"))
    var mayActFor: String?

    @Flag(help: "It reads the metrics, at /metrics of the MCP port, and does nothing else.")
    var metrics = false

    @Option(help: ArgumentHelp("How long it is valid: 30m, 12h, 90d. Default: until revoked.", valueName: "time"))
    var expires: String?

    func perform() async throws {
        var body: JSONObject = JSONObject([("user", .string(user))])
        if let mayActFor { body["mayActFor"] = .string(mayActFor) }
        if metrics { body["use"] = "metrics" }
        if let expires { body["seconds"] = JSONValue(try Self.seconds(expires)) }
        let answer = try await host.client.json(.post, APIPath.tokens, body: JSONValue.object(body).encoded())
        host.output.show(answer) { token in host.output.line(token.shown("token")) }
    }

    static func seconds(_ text: String) throws -> Int {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()), number > 0,
            number <= 10_000_000
        else { throw CommandFailure("--expires \(text): write a number and s, m, h or d, such as 90d", exitCode: 64) }
        return number * unit
    }
}

struct TokenListCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List tokens, not their values.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        host.output.show(try await host.client.json(.get, APIPath.tokens)) { answer in
            host.output.table(
                ["ID", "USER", "USE", "MAY ACT FOR", "EXPIRES", "REVOKED"],
                answer.list("tokens").map { token in
                    ["id", "user", "use", "mayActFor", "expires", "revoked"].map { token.shown($0) }
                })
        }
    }
}

struct TokenRevokeCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke a token at once.")
    @OptionGroup var host: HostOptions

    @Argument(help: "The token's id, from `nexus token list`.")
    var id: String

    func perform() async throws {
        let answer = try await host.client.json(.delete, APIPath.token(id))
        host.output.show(answer) { _ in host.output.line("revoked \(id)") }
    }
}
