internal import JSONBytes
internal import PluginABI

/// What was found in a file: a variable with a value.
struct ImportEntry: Equatable {
    var name: String
    /// For people: `line 3`, `server binance`.
    var place: String
    /// The server of an `mcpServers` file.
    var server: String?
    var value: [UInt8]
}

/// A credential that a plugin declares.
struct ImportTarget: Hashable {
    var plugin: String
    var name: String
    var description: String { "\(plugin)/\(name)" }
}

/// Which variable becomes which credential. Made whole before anything is stored: a doubt stops all of it.
struct ImportPlan {
    struct Move: Equatable {
        var entry: ImportEntry
        var target: ImportTarget
    }

    var moves: [Move] = []
    /// What no credential is called like.
    var left: [ImportEntry] = []

    /// A variable belongs to a credential if `--map` says so; else to one of `plugin`, or of the plugin that is called
    /// as the variable's server, whose name it is, in capitals or not, alone or after the plugin's name or another
    /// word: `API_KEY`, `CRYPTO_BOT_API_KEY`, `BINANCE_API_KEY` for `api_key`.
    ///
    /// - Throws: `CommandFailure` for a mapping that fits nothing, and for two values of one credential.
    init(
        _ entries: [ImportEntry], declared: [String: [String]], plugin: String?, maps: [(name: String, ImportTarget)]
    ) throws(CommandFailure) {
        for (name, target) in maps {
            guard entries.contains(where: { $0.name == name }) else {
                throw CommandFailure("--map \(name): the file has no such variable", exitCode: 64)
            }
            guard declared[target.plugin]?.contains(target.name) == true else {
                throw CommandFailure("--map \(name): no plugin declares \(target.description)", exitCode: 64)
            }
        }
        // What was said counts more than what is guessed.
        let said = Set(maps.map(\.1))
        for entry in entries {
            let mapped = maps.first { $0.name == entry.name }?.1
            guard let target = mapped ?? Self.guess(entry, declared, plugin), mapped != nil || !said.contains(target)
            else {
                left.append(entry)
                continue
            }
            if let other = moves.first(where: { $0.target == target }) {
                guard other.entry.value == entry.value else {
                    throw CommandFailure(
                        "\(other.entry.name.printable) (\(other.entry.place)) and "
                            + "\(entry.name.printable) (\(entry.place)) would both be "
                            + "\(target.description); say which with --map NAME=\(target.description)"
                            + (entry.server == nil ? "" : " or --server"), exitCode: 65)
                }
                continue
            }
            moves.append(Move(entry: entry, target: target))
        }
    }

    private static func guess(_ entry: ImportEntry, _ declared: [String: [String]], _ plugin: String?) -> ImportTarget?
    {
        guard let plugin = plugin ?? entry.server, let names = declared[plugin] else { return nil }
        let name = normal(entry.name)
        let found =
            names.first { normal($0) == name } ?? names.first { "\(normal(plugin))_\(normal($0))" == name }
            ?? names.filter { name.hasSuffix("_\(normal($0))") }.max { $0.utf8.count < $1.utf8.count }
        return found.map { ImportTarget(plugin: plugin, name: $0) }
    }

    private static func normal(_ name: String) -> String {
        String(name.lowercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    }
}

/// The `mcpServers` object with which agents are told which servers to start, and the values that stand in its `env`.
enum MCPConfigFile {
    /// - Returns: the variables, and what is no value: empty, no text, or a reference such as `${input:key}`.
    /// - Throws: `CommandFailure` without a byte of the file.
    static func read(
        _ bytes: [UInt8], server: String?
    ) throws(CommandFailure) -> (entries: [ImportEntry], bad: [String]) {
        guard let root = try? JSONValue(parsing: bytes) else {
            throw CommandFailure("it is not JSON (comments and trailing commas are not)", exitCode: 65)
        }
        guard let servers = (root["mcpServers"] ?? root["servers"])?.objectValue else {
            throw CommandFailure("it has no object \"mcpServers\"", exitCode: 65)
        }
        if let server, servers[server] == nil {
            let known = servers.members.map(\.key.printable).joined(separator: ", ")
            throw CommandFailure("--server \(server): the file has \(known)", exitCode: 64)
        }
        var entries: [ImportEntry] = []
        var bad: [String] = []
        for (name, value) in servers.members where server == nil || server == name {
            for (variable, value) in value["env"]?.objectValue?.members ?? [] {
                let place = "server \(name.printable)"
                guard let text = value.stringValue, !text.isEmpty, !text.contains("${") else {
                    bad.append("\(variable.printable) (\(place))")
                    continue
                }
                entries.append(ImportEntry(name: variable, place: place, server: name, value: Array(text.utf8)))
            }
        }
        return (entries, bad)
    }
}
