internal import JSONBytes
internal import PluginABI

/// A check's plugins as files: the probe with its script in the manifest, and a good neighbour.
struct HostScenario {
    let check: HostCheck
    let name: String

    init(_ check: HostCheck, number: Int, run: String) {
        self.check = check
        name = "probe-\(number)-\(run)"
    }

    /// What the manifest gives the probe: its name and its script.
    var arguments: [String] { [name] + check.steps }

    func write(to folder: String, probe: [UInt8]) throws(HostDriverFailure) -> [HostPlugin] {
        var plugins = [try write(to: folder, probe: probe, name: name, arguments: arguments)]
        if check.hasNeighbour {
            let other = "\(name)-other"
            plugins.append(try write(to: folder, probe: probe, name: other, arguments: [other, "act: echo"]))
        }
        return plugins
    }

    private func write(
        to folder: String, probe: [UInt8], name: String, arguments: [String]
    ) throws(HostDriverFailure) -> HostPlugin {
        let directory = "\(folder)/\(name)"
        try HostFiles.makeFolder(directory)
        try HostFiles.makeFolder("\(directory)/bin")
        try HostFiles.write(probe, to: "\(directory)/bin/probe", mode: 0o755)
        try HostFiles.write(manifest(name, arguments).encoded(), to: "\(directory)/plugin.json", mode: 0o644)
        let lends = check.needs.contains(.credentials)
        return HostPlugin(
            name: name, directory: directory,
            credentials: lends ? ["key_a": "aaaa-\(name)-0123", "key_b": "bbbb-\(name)-4567"] : [:])
    }

    private func manifest(_ name: String, _ arguments: [String]) -> JSONValue {
        var manifest = JSONObject([
            ("manifest", 1), ("name", .string(name)), ("version", "1.0.0"), ("kind", "tool"),
            ("description", "Plays a script against its host, and reports what the host did"),
            ("abi", ["min": 1, "max": 1]),
            ("runtime", ["executable": "bin/probe", "arguments": JSONValue(arguments)]),
            ("permissions", permissions),
            ("tools", .array(["look", "act", "then", "lend"].map { tool($0, of: name) })),
        ])
        if check.isConcurrent { manifest["concurrency"] = 8 }
        return .object(manifest)
    }

    private var permissions: JSONValue {
        let keys = ["key_a", "key_b"].map { key -> JSONValue in
            ["name": .string(key), "scope": "user", "reason": "To see where a credential turns up"]
        }
        return [
            "credentials": .array(keys),
            "http.fetch": [
                [
                    "endpoint": "probe", "origin": "https://probe.invalid", "methods": ["GET"], "paths": ["/"],
                    "reason": "To have host calls that stay open for a moment",
                ]
            ],
            "resources": ["processes": 8, "reason": "To have a child, where the jail allows one"],
        ]
    }

    private func tool(_ tool: String, of name: String) -> JSONValue {
        var object = JSONObject([
            ("name", .string(HostStage.tool(tool, of: name))), ("description", "Plays its part of the script"),
            ("inputSchema", ["type": "object"]),
        ])
        if tool == "lend" { object["credentials"] = ["key_a"] }
        if tool == "act", check.answersBytes { object["content"] = "application/octet-stream" }
        return .object(object)
    }
}
