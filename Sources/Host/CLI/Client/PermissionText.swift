internal import JSONBytes
internal import PluginABI

/// What a plugin may do, in words; weakenings and what this host cannot enforce in red.
struct PermissionText {
    let output: Output

    func show(_ plugin: JSONValue) {
        for line in lines(plugin) { output.line(line) }
    }

    func lines(_ plugin: JSONValue) -> [String] {
        let permissions = plugin["permissions"] ?? .null
        var lines = permissions.list("http.fetch").flatMap(fetch)
        for use in permissions.list("credentials") {
            let credential = "the \(use.shown("scope")) credential \(use.shown("name"))"
            let isSealed = use["delivery"]?.stringValue == Permissions.Delivery.sealed.rawValue
            lines += entry(
                isSealed
                    ? "use \(credential) without seeing it: the host puts it into requests, as said above"
                    : "receive \(credential), in calls that need it only", use)
            if plugin.list("revoked").contains(use["name"] ?? .null) {
                lines.append("    \(output.red("REVOKED: it gets this credential no more"))")
            }
        }
        lines += isolation(plugin)
        if let store = permissions["kv"] {
            lines += entry("keep up to \(store.shown("megabytes")) MiB with the host", store)
        }
        for rule in permissions.list("net.connect") {
            let place = "\(rule.shown("host")):\(rule.shown("port"))"
            lines += entry("send and receive anything over connections that the host makes to \(place)", rule)
            lines += change(of: place, to: "address", rule["override"])
        }
        for rule in permissions.list("filesystem") {
            let verb = rule["access"]?.stringValue == "write" ? "read and change" : "read"
            lines += entry("\(verb) \(rule.shown("path")) of this machine", rule)
        }
        if lines.isEmpty { lines = ["  • compute, and nothing else"] }
        if let resources = permissions["resources"] { lines += entry("use \(amounts(resources))", resources) }
        lines += plugin.list("unbounded").map { "    \(output.red("NOT ENFORCED: \(words($0))"))" }
        lines += plugin.list("unsupported").map { "  \(output.red("REFUSED HERE: \(words($0))"))" }
        return [output.bold("\(plugin.shown("name")) \(plugin.shown("version")) may:")] + lines + [
            refusals(permissions, isPython: plugin["runtime"]?.stringValue == "python")
        ]
    }

    /// Where it is not as the manifest says.
    private func isolation(_ plugin: JSONValue) -> [String] {
        if plugin["weakeningSharedUsers"]?.boolValue == true {
            return [
                "    "
                    + output.red(
                        "WEAKENED: one process may hold the credentials of several users (--weakening-shared-users)")
            ]
        }
        let names = plugin.list("isolationForcedBy").compactMap(\.stringValue).map(\.printable)
        guard !names.isEmpty else { return [] }
        return [
            "    " + output.dim("Each user has a process of their own, because of \(names.joined(separator: ", ")).")
        ]
    }

    private func entry(_ text: String, _ permission: JSONValue) -> [String] {
        ["  • \(text)", "    \(output.dim(permission.shown("reason")))"]
    }

    private func fetch(_ rule: JSONValue) -> [String] {
        let paths = rule.list("paths").compactMap(\.stringValue).map { rule.shown("origin") + $0.printable }
        let lines = entry("ask the host for \(rule.shown("methods")) under \(paths.joined(separator: ", "))", rule)
        return lines + rule.list("sealed").map { "    \(SealedUseText.line($0))" }
            + change(of: rule.shown("endpoint"), to: "origin", rule["override"])
    }

    /// Where an admin led an endpoint, if anywhere.
    private func change(of endpoint: String, to member: String, _ override: JSONValue?) -> [String] {
        guard let override, let target = override[member]?.stringValue else { return [] }
        let words =
            override["weakeningLoopback"]?.boolValue == true
            ? "WEAKENED: \(endpoint) leads to \(target), a loopback address (--dev-loopback)"
            : "CHANGED: \(endpoint) leads to \(target)"
        return ["    \(output.red(words))"]
    }

    private func amounts(_ resources: JSONValue) -> String {
        let units = [
            ("memoryMegabytes", "MiB of memory"), ("processes", "processes and threads"),
            ("openFiles", "open files"), ("cpuPercent", "% of a processor"), ("temporaryMegabytes", "MiB of /tmp"),
        ]
        let parts = units.compactMap { name, unit in resources[name] == nil ? nil : "\(resources.shown(name)) \(unit)" }
        return "at most " + (parts.isEmpty ? "the host's standard amounts" : parts.joined(separator: ", "))
    }

    private func refusals(_ permissions: JSONValue, isPython: Bool) -> String {
        let files = "see files of this machine" + (isPython ? " (but Python's own, read-only)" : "")
        var all = ["start other programs' processes outside its jail"]
        if permissions.list("filesystem").isEmpty { all.insert(files, at: 0) }
        all.insert("open sockets", at: 0)
        return "It may not: \(all.joined(separator: ", "))."
    }

    private func words(_ shortfall: JSONValue) -> String { "\(shortfall.shown("field")): \(shortfall.shown("reason"))" }

    /// The manifest in the form that the API has, for a plugin that is not installed yet.
    static func json(_ manifest: PluginManifest, on host: HostOffer = .nexus) -> JSONValue {
        let list = { (errors: [ManifestError]) -> JSONValue in
            .array(errors.map { ["field": .string($0.field), "reason": .string($0.reason)] })
        }
        return [
            "name": .string(manifest.name), "version": .string(manifest.version),
            "runtime": .string(manifest.runtime.rawValue), "permissions": manifest.permissions.json,
            "unbounded": list(manifest.unbounded(by: host)),
            "unsupported": list(manifest.unsupported(by: host)),
        ]
    }
}
