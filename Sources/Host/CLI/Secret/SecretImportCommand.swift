internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import PluginABI

/// Moves credentials from a file of other tools into the store. The file is only read.
struct SecretImportCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Store the credentials of a .env file or an mcpServers configuration.",
        discussion: """
            Variables become the credentials that they are called like, with or without a word before: BINANCE_API_KEY
            is api_key. What is shown are names, never values. The file stays as it is; running it again changes
            nothing.
            """)
    @OptionGroup var host: HostOptions

    @Option(help: ArgumentHelp("A file of NAME=value lines.", valueName: "file"))
    var envFile: String?

    @Option(help: ArgumentHelp("A file with mcpServers, whose env is read.", valueName: "file"))
    var mcpConfig: String?

    @Option(help: "The plugin whose credentials they are; else, of mcpServers, the one called as the server.")
    var plugin: String?

    @Option(help: "Only this server of mcpServers.")
    var server: String?

    @Option(
        help: ArgumentHelp(
            "This variable is that credential; may be given several times.", valueName: "ENV=plugin/name"))
    var map: [String] = []

    @Option(help: "Whose they are: a user, or group/user; by default yourself.")
    var user: String?

    @Flag(help: "Show what would be stored, and store nothing.")
    var dryRun = false

    func validate() throws {
        guard (envFile == nil) != (mcpConfig == nil) else {
            throw ValidationError("give one of --env-file and --mcp-config")
        }
        if envFile != nil, server != nil { throw ValidationError("--server belongs to --mcp-config") }
        if envFile != nil, plugin == nil, map.isEmpty { throw ValidationError("--env-file needs --plugin or --map") }
        for text in map where Self.mapping(text) == nil {
            throw ValidationError("--map \(text): write NAME=plugin/credential")
        }
    }

    private static func mapping(_ text: String) -> (name: String, ImportTarget)? {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let target = parts[1].split(separator: "/").map(String.init)
        guard target.count == 2 else { return nil }
        return (parts[0], ImportTarget(plugin: target[0], name: target[1]))
    }

    func perform() async throws {
        let (entries, bad) = try read()
        let maps = map.compactMap(Self.mapping)
        let scopes = try await scopes(of: Set([plugin].compactMap { $0 } + maps.map(\.1.plugin)), entries)
        let declared = scopes.mapValues { $0.map(\.name) }
        let plan = try ImportPlan(entries, declared: declared, plugin: plugin, maps: maps)
        var moved: [JSONValue] = []
        for move in plan.moves {
            let isGlobal = scopes[move.target.plugin]?.first { $0.name == move.target.name }?.isGlobal ?? false
            moved.append(try await store(move, isGlobal: isGlobal))
        }
        host.output.show([
            "moved": .array(moved), "left": JSONValue(plan.left.map(Self.shown)),
            "unreadable": JSONValue(bad), "dryRun": .bool(dryRun),
        ]) { tell($0, plan) }
        if plan.moves.isEmpty { throw CommandFailure("nothing was found to store; see --map", exitCode: 65) }
    }

    /// Of an env file the line alone: where a value has come apart, what stands there as a name is part of it.
    private static func shown(_ entry: ImportEntry) -> String {
        entry.server == nil ? entry.place : "\(entry.name.printable) (\(entry.place))"
    }

    private func store(_ move: ImportPlan.Move, isGlobal: Bool) async throws -> JSONValue {
        var outcome = "would be stored"
        if !dryRun {
            let whose = isGlobal ? [("global", "1")] : user.map { [("user", $0)] } ?? []
            let place = [("plugin", move.target.plugin), ("name", move.target.name)] + whose
            let answer = try await host.client.json(
                .post, APIPath.secretImport, query: place, body: move.entry.value)
            outcome = answer["changed"] == true ? "stored" : "there already"
        }
        return [
            "variable": .string(move.entry.name), "place": .string(move.entry.place),
            "plugin": .string(move.target.plugin), "name": .string(move.target.name), "outcome": .string(outcome),
        ]
    }

    private func tell(_ answer: JSONValue, _ plan: ImportPlan) {
        host.output.table(
            ["VARIABLE", "PLACE", "PLUGIN", "NAME", "OUTCOME"],
            answer.list("moved").map { move in
                ["variable", "place", "plugin", "name", "outcome"].map { move.shown($0) }
            })
        for name in ["left", "unreadable"] where !answer.list(name).isEmpty {
            let why = name == "left" ? "no credential is called like" : "not read"
            host.output.line("\(why): \(answer.shown(name))")
        }
        guard !plan.moves.isEmpty, !dryRun, let file = envFile ?? mcpConfig else { return }
        host.output.line(
            "\(file) was not changed and still has the values. Take these out of it: "
                + plan.moves.map { "\($0.entry.name.printable) (\($0.entry.place))" }.joined(separator: ", ")
                + ". If it was ever shared or committed, have new keys made.")
    }

    /// The variables of the file, and by number or name what of it is none.
    private func read() throws -> (entries: [ImportEntry], bad: [String]) {
        let path = envFile ?? mcpConfig ?? ""
        // Not more than the limit: a path such as /dev/zero has no end.
        let file = FileHandle(forReadingAtPath: path)
        guard let data = try? file?.read(upToCount: 1 << 20 + 1), data.count <= 1 << 20 else {
            throw CommandFailure("\(path) cannot be read, or has more than 1 MiB", exitCode: 66)
        }
        var bytes = Array(data)
        defer { bytes.wipe() }
        guard envFile != nil else {
            do { return try MCPConfigFile.read(bytes, server: server) } catch {
                throw CommandFailure("\(path): \(error.message)", exitCode: error.exitCode)
            }
        }
        var lines = EnvFile(bytes)
        defer { lines.wipe() }
        let entries = lines.entries.filter { !$0.value.isEmpty }.map {
            ImportEntry(name: $0.name, place: "line \($0.line)", value: $0.value)
        }
        return (entries, lines.bad.map { "line \($0)" })
    }

    /// What the plugins declare: those that are named, and those that are called as a server of the file.
    private func scopes(
        of named: Set<String>, _ entries: [ImportEntry]
    ) async throws -> [String: [(name: String, isGlobal: Bool)]] {
        let installed = try await host.client.json(.get, APIPath.plugins).list("plugins")
        var scopes: [String: [(name: String, isGlobal: Bool)]] = [:]
        for plugin in installed {
            guard let name = plugin["name"]?.stringValue else { continue }
            guard named.contains(name) || entries.contains(where: { $0.server == name }) else { continue }
            let info = try await host.client.json(.get, APIPath.plugin(name))
            scopes[name] = (info["permissions"] ?? .null).list("credentials").compactMap { use in
                use["name"]?.stringValue.map { (name: $0, isGlobal: use["scope"] == "global") }
            }
        }
        if let missing = named.first(where: { scopes[$0] == nil }) {
            throw CommandFailure("the plugin \(missing) is not installed; see `nexus plugin list`")
        }
        return scopes
    }
}
