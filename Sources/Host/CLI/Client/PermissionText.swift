internal import JSONBytes
internal import PluginABI

/// What a plugin may do, in words; weakenings in red.
struct PermissionText {
    let output: Output

    func show(_ plugin: JSONValue) {
        let permissions = plugin["permissions"] ?? .null
        let fetches = permissions.list("http.fetch")
        let credentials = permissions.list("credentials")
        output.line(output.bold("\(plugin.shown("name")) \(plugin.shown("version")) may:"))
        for rule in fetches {
            output.line("  • ask the host for \(rule.shown("methods")) under \(paths(rule))")
            output.line("    \(output.dim(rule.shown("reason")))")
            if let override = rule["override"], let origin = override["origin"]?.stringValue {
                let words =
                    override["weakeningLoopback"]?.boolValue == true
                    ? "WEAKENED: \(rule.shown("endpoint")) leads to \(origin), a loopback address (--dev-loopback)"
                    : "CHANGED: \(rule.shown("endpoint")) leads to \(origin)"
                output.line("    \(output.red(words))")
            }
        }
        for use in credentials {
            output.line(
                "  • receive the \(use.shown("scope")) credential \(use.shown("name")), in calls that need it only")
            output.line("    \(output.dim(use.shown("reason")))")
        }
        if fetches.isEmpty, credentials.isEmpty { output.line("  • compute, and nothing else") }
        output.line(
            "It may not: open sockets, see files of this machine, start other programs' processes outside its jail.")
    }

    private func paths(_ rule: JSONValue) -> String {
        rule.list("paths").compactMap(\.stringValue).map { rule.shown("origin") + $0 }.joined(separator: ", ")
    }

    /// The manifest in the form that the API has, for a plugin that is not installed yet.
    static func json(_ manifest: PluginManifest) -> JSONValue {
        [
            "name": .string(manifest.name), "version": .string(manifest.version),
            "permissions": [
                "http.fetch": .array(
                    manifest.permissions.httpFetch.map {
                        [
                            "endpoint": .string($0.endpoint), "origin": .string($0.origin),
                            "methods": JSONValue($0.methods), "paths": JSONValue($0.paths),
                            "reason": .string($0.reason),
                        ]
                    }),
                "credentials": .array(
                    manifest.permissions.credentials.map {
                        ["name": .string($0.name), "scope": .string($0.scope.rawValue), "reason": .string($0.reason)]
                    }),
            ],
        ]
    }
}
