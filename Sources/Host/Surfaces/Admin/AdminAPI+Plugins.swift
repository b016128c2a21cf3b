internal import AuditLog
internal import HostCore
internal import JSONBytes
internal import PluginABI
internal import Registry

extension AdminAPI {
    func listPlugins(_ call: Call) async throws(HostError) -> WireResponse {
        var list: [JSONValue] = []
        for plugin in catalog.list() {
            let status = await supervisor.status(of: plugin.name)
            list.append([
                "name": .string(plugin.name), "version": .string(plugin.manifest.version),
                "kind": .string(plugin.manifest.kind.rawValue), "state": .string(status.state),
                "instance": JSONValue(status.instance), "tools": JSONValue(plugin.manifest.tools.map(\.name)),
                "cause": JSONValue(status.cause), "since": Self.time(status.since),
                "failures": JSONValue(status.failures),
            ])
        }
        return Self.ok(["plugins": .array(list)])
    }

    /// An older instance of the same name is retired after the catalog has changed: the next call starts what was
    /// installed.
    func installPlugin(_ call: Call) async throws(HostError) -> WireResponse {
        let bundle = try bundle(call)
        let name = bundle.manifest.name
        try catalog.install(bundle)
        await supervisor.retire(name)
        try record(
            "installed", name, call,
            [
                ("version", .string(bundle.manifest.version)), ("digest", .string("sha256:" + bundle.executableDigest)),
            ])
        return Self.ok(PluginDescription.json(try catalog.plugin(name), on: facts.offer))
    }

    private func bundle(_ call: Call) throws(HostError) -> PluginBundle {
        do {
            return try PluginBundle(upload: call.request.copiedBody)
        } catch {
            throw HostError(.invalidManifest, error.message)
        }
    }

    /// As installing, but no call is lost, and a new version that fails is taken back.
    func upgradePlugin(_ call: Call) async throws(HostError) -> WireResponse {
        let bundle = try bundle(call)
        let name = call.names[0]
        guard bundle.manifest.name == name else {
            throw HostError(.invalidRequest, "this is a bundle of \(bundle.manifest.name), not of \(name)")
        }
        let standard = await supervisor.probationMilliseconds(of: name) / 1_000
        guard let seconds = Int(call.request.query["probationSeconds"] ?? "\(standard)"), (0...3_600).contains(seconds)
        else { throw HostError(.invalidRequest, "probationSeconds is a number from 0 to 3600") }
        let previous = try catalog.plugin(name).manifest.version
        try await supervisor.upgrade(bundle, probationMilliseconds: UInt64(seconds) * 1_000)
        try record(
            "upgraded", name, call,
            [
                ("previous", .string(previous)), ("version", .string(bundle.manifest.version)),
                ("digest", .string("sha256:" + bundle.executableDigest)),
            ])
        var description = PluginDescription.json(try catalog.plugin(name), on: facts.offer).objectValue ?? JSONObject()
        description["previous"] = .string(previous)
        description["probationSeconds"] = JSONValue(seconds)
        return Self.ok(.object(description))
    }

    func showPlugin(_ call: Call) async throws(HostError) -> WireResponse {
        let plugin = try catalog.plugin(call.names[0])
        let status = await supervisor.status(of: plugin.name)
        var description = PluginDescription.json(plugin, on: facts.offer).objectValue ?? JSONObject()
        description["state"] = .string(status.state)
        description["instance"] = JSONValue(status.instance)
        description["cause"] = JSONValue(status.cause)
        description["since"] = Self.time(status.since)
        description["failures"] = JSONValue(status.failures)
        description["lateFrames"] = JSONValue(status.lateFrames)
        description["layers"] = status.layers ?? .null
        description["recentLog"] = JSONValue(status.recentLog)
        return Self.ok(.object(description))
    }

    /// What was logged after a number, as much as one answer takes.
    func readLog(_ call: Call) async throws(HostError) -> WireResponse {
        let plugin = try catalog.plugin(call.names[0])
        guard let after = Int(call.request.query["after"] ?? "0"), after >= 0 else {
            throw HostError(.invalidRequest, "after is the number of the last line that you have, or 0")
        }
        let lines = await supervisor.log(of: plugin.name, after: after)
        return Self.ok([
            "lines": .array(
                lines.map {
                    [
                        "seq": JSONValue($0.number), "time": .string($0.time), "text": .string($0.text),
                        "request": JSONValue($0.request),
                    ]
                }),
            "next": JSONValue(lines.last?.number ?? after),
        ])
    }

    func removePlugin(_ call: Call) async throws(HostError) -> WireResponse {
        let name = call.names[0]
        // First: a plugin without its secrets is safe to leave behind, secrets without their plugin are not.
        _ = try catalog.plugin(name)
        try secrets.removeAll(of: name)
        try catalog.remove(name)
        try requests?.closeAll(of: name)
        await supervisor.retire(name)
        // Again: what an admin or a form stored meanwhile.
        try secrets.removeAll(of: name)
        try record("removed", name, call)
        return Self.ok(["removed": .string(name)])
    }

    func startPlugin(_ call: Call) async throws(HostError) -> WireResponse {
        try await supervisor.start(call.names[0], isKept: call.request.query["once"] != "1")
        return try await showPlugin(call)
    }

    func stopPlugin(_ call: Call) async throws(HostError) -> WireResponse {
        try await supervisor.stop(call.names[0])
        return try await showPlugin(call)
    }

    func setEndpoint(_ call: Call) async throws(HostError) -> WireResponse {
        let (name, endpoint) = (call.names[0], call.names[1])
        let body = try RequestBody(call.request.copiedBody, names: ["origin", "authority", "loopback"])
        // The name of a connection is `host:port`, and so is where it leads.
        let isConnection = endpoint.contains(":")
        guard let text = try body.string("origin"), !isConnection || text.contains(":"),
            let origin = Origin(isConnection ? "https://\(text)" : text)
        else {
            throw HostError(
                .invalidRequest,
                isConnection
                    ? "a connection leads to host:port, in lower case"
                    : "an endpoint leads to https://host or https://host:port, in lower case")
        }
        let authority = try body.string("authority")
        guard !isConnection || authority == nil else {
            throw HostError(.invalidRequest, "a connection has no authority: the plugin itself speaks on it")
        }
        let override = EndpointOverride(
            origin: origin, authority: authority, weakeningLoopback: try body.flag("loopback") ?? false)
        try catalog.setEndpoint(endpoint, of: name, to: override)
        try record(
            "endpoint", name, call,
            [
                ("endpoint", .string(endpoint)), ("origin", .string(origin.description)),
                ("weakeningLoopback", .bool(override.weakeningLoopback)),
            ])
        return Self.ok(PluginDescription.json(try catalog.plugin(name), on: facts.offer))
    }

    func resetEndpoint(_ call: Call) async throws(HostError) -> WireResponse {
        try catalog.setEndpoint(call.names[1], of: call.names[0], to: nil)
        try record("endpoint", call.names[0], call, [("endpoint", .string(call.names[1])), ("origin", .null)])
        return Self.ok(PluginDescription.json(try catalog.plugin(call.names[0]), on: facts.offer))
    }

    func record(_ event: String, _ plugin: String, _ call: Call, _ more: [(String, JSONValue)] = []) throws(HostError) {
        do {
            try audit.append(
                [
                    ("kind", "admin"), ("event", .string(event)), ("plugin", .string(plugin)),
                    ("actor", .string(call.caller.actor)),
                ]
                    + more)
        } catch {
            throw HostError(.auditFailed, error.message, retryable: true)
        }
    }
}

/// A plugin as the API shows it: permissions first, with what an admin changed about them.
enum PluginDescription {
    static func json(_ plugin: InstalledPlugin, on host: HostOffer) -> JSONValue {
        let manifest = plugin.manifest
        return [
            "name": .string(manifest.name), "version": .string(manifest.version),
            "kind": .string(manifest.kind.rawValue), "runtime": .string(manifest.runtime.rawValue),
            "arguments": JSONValue(manifest.arguments), "description": .string(manifest.summary),
            "digest": .string("sha256:" + plugin.digest),
            "installed": .string(plugin.installed), "permissions": permissions(plugin),
            "isolation": .string(plugin.isolation.rawValue),
            "isolationForcedBy": .array(plugin.isIsolationForced ? plugin.usersCredentials.map { .string($0) } : []),
            "weakeningSharedUsers": .bool(plugin.choices.weakeningSharedUsers),
            "revoked": .array(plugin.choices.revoked.sorted().map { .string($0) }),
            "unbounded": shortfalls(manifest.unbounded(by: host)),
            "unsupported": shortfalls(manifest.unsupported(by: host)), "tools": .array(manifest.tools.map(tool)),
        ]
    }

    /// As in plugin.json, and beside each endpoint where an admin led it.
    private static func permissions(_ plugin: InstalledPlugin) -> JSONValue {
        var permissions = plugin.manifest.permissions.json.objectValue ?? JSONObject()
        let fetches = (permissions["http.fetch"]?.arrayValue ?? []).map { rule -> JSONValue in
            var rule = rule.objectValue ?? JSONObject()
            let override = rule["endpoint"]?.stringValue.flatMap { plugin.endpoints[$0] }
            rule["override"] =
                override.map {
                    ["origin": .string($0.origin.description), "weakeningLoopback": .bool($0.weakeningLoopback)]
                } ?? .null
            return .object(rule)
        }
        permissions["http.fetch"] = .array(fetches)
        let connections = plugin.manifest.permissions.netConnect.map { rule -> JSONValue in
            let override = plugin.endpoints["\(rule.host):\(rule.port)"]
            return [
                "host": .string(rule.host), "port": JSONValue(rule.port), "reason": .string(rule.reason),
                "override": override.map {
                    [
                        "address": .string("\($0.origin.host):\($0.origin.port)"),
                        "weakeningLoopback": .bool($0.weakeningLoopback),
                    ]
                } ?? .null,
            ]
        }
        if !connections.isEmpty { permissions["net.connect"] = .array(connections) }
        return .object(permissions)
    }

    private static func shortfalls(_ errors: [ManifestError]) -> JSONValue {
        .array(errors.map { ["field": .string($0.field), "reason": .string($0.reason)] })
    }

    private static func tool(_ tool: PluginManifest.Tool) -> JSONValue {
        [
            "name": .string(tool.name), "description": .string(tool.description), "inputSchema": tool.inputSchema,
            "credentials": JSONValue(tool.credentials),
        ]
    }
}
