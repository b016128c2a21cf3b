internal import HostAPI
internal import HostCore
internal import JSONBytes
internal import PluginABI

/// What an admin decides about a plugin's credentials and users. Each change ends the processes that it concerns.
extension AdminAPI {
    func listGrants(_ call: Call) async throws(HostError) -> WireResponse {
        let stored = Dictionary(grouping: try secrets.list()) { [$0.address.plugin, $0.address.name] }
        let grants = catalog.list().flatMap { plugin in
            plugin.manifest.permissions.credentials.map { use -> JSONValue in
                let owners = stored[[plugin.name, use.name]] ?? []
                let tools = plugin.manifest.tools.filter { $0.credentials.contains(use.name) }.map(\.name)
                return [
                    "plugin": .string(plugin.name), "name": .string(use.name), "scope": .string(use.scope.rawValue),
                    "granted": .bool(!plugin.choices.revoked.contains(use.name)),
                    "tools": .array(tools.map { .string($0) }),
                    "users": .array(owners.map { .string($0.address.owner) }),
                ]
            }
        }
        return Self.ok(["grants": .array(grants)])
    }

    func setGrant(_ call: Call) async throws(HostError) -> WireResponse {
        let (name, credential) = (call.names[0], call.names[1])
        guard let granted = try RequestBody(call.request.copiedBody, names: ["granted"]).flag("granted") else {
            throw HostError(.invalidRequest, "granted must be true or false")
        }
        if try catalog.setCredential(credential, of: name, granted: granted) {
            try record(
                granted ? "credential-granted" : "credential-revoked", name, call, [("name", .string(credential))])
            await supervisor.recycle(name)
        }
        return Self.ok(["plugin": .string(name), "name": .string(credential), "granted": .bool(granted)])
    }

    func setIsolation(_ call: Call) async throws(HostError) -> WireResponse {
        let name = call.names[0]
        let body = try RequestBody(call.request.copiedBody, names: ["weakeningSharedUsers"])
        guard let weakening = try body.flag("weakeningSharedUsers") else {
            throw HostError(.invalidRequest, "weakeningSharedUsers must be true or false")
        }
        if try catalog.setSharing(of: name, weakeningSharedUsers: weakening) {
            try record("isolation-changed", name, call, [("weakeningSharedUsers", .bool(weakening))])
            await supervisor.recycle(name)
        }
        return Self.ok(PluginDescription.json(try catalog.plugin(name), on: facts.offer))
    }
}
