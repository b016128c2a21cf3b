internal import AuditLog
internal import FoundationEssentials
internal import HostCore
internal import JSONBytes
internal import Logging
internal import PluginABI

extension AdminAPI {
    func status(_ call: Call) async throws(HostError) -> WireResponse {
        let plugins = catalog.list()
        var running = 0
        for plugin in plugins where await supervisor.status(of: plugin.name).state == "running" { running += 1 }
        return Self.ok([
            "version": .string(facts.version), "home": .string(facts.home),
            "processID": JSONValue(Int(facts.processID)),
            "userID": JSONValue(Int(facts.userID)), "launcherID": JSONValue(Int(facts.launcherID())),
            "jailsAsRoot": .bool(facts.jailsAsRoot),
            "boundsProcessorTime": .bool(facts.boundsProcessorTime), "mcp": .string(facts.agentURL()),
            "installed": JSONValue(plugins.count),
            "running": JSONValue(running),
        ])
    }

    func stopHost(_ call: Call) async throws(HostError) -> WireResponse {
        // A host that cannot write its log makes no calls; it can be stopped all the same.
        do throws(HostError) {
            try record("shutdown", "", call)
        } catch {
            Self.logger.error("stopped, and the audit log does not say by whom: \(error.message)")
        }
        await shutDown()
        return Self.ok(["stopping": true, "processID": JSONValue(Int(facts.processID))])
    }

    func reload(_ call: Call) async throws(HostError) -> WireResponse {
        let change = try await supervisor.reload(Home(facts.home), by: call.caller.actor)
        return Self.ok([
            "changed": JSONValue(change.changed), "unchanged": JSONValue(change.unchanged),
            "budgetChanged": .bool(change.budgetChanged), "notInstalled": JSONValue(change.notInstalled),
        ])
    }

    // MARK: tools

    func listTools(_ call: Call) async throws(HostError) -> WireResponse {
        let tools = catalog.list().flatMap { plugin in
            plugin.manifest.tools.map { tool -> JSONValue in
                [
                    "name": .string(tool.name), "plugin": .string(plugin.name),
                    "description": .string(tool.description),
                    "inputSchema": tool.inputSchema,
                ]
            }
        }
        return Self.ok(["tools": .array(tools)])
    }

    func callTool(_ call: Call) async throws(HostError) -> WireResponse {
        if call.request.query["stream"] == "1" { return try await streamTool(call) }
        let result = try await pipeline.call(Self.toolRequest(call))
        // The result goes as the plugin wrote it.
        var body = Array("{\"result\":".utf8) + result.json
        if let content = result.content { body += Array(",\"content\":".utf8) + Self.json(content).encoded() }
        body.append(UInt8(ascii: "}"))
        return WireResponse(status: 200, headers: [("content-type", "application/json")], body: body)
    }

    private static func json(_ content: ToolContent) -> JSONValue {
        if let text = content.text { return ["mediaType": .string(content.mediaType), "text": .string(text)] }
        let base64 = Data(content.bytes).base64EncodedString()
        return ["mediaType": .string(content.mediaType), "base64": .string(base64)]
    }

    // MARK: tokens

    func listTokens(_ call: Call) async throws(HostError) -> WireResponse {
        Self.ok(["tokens": .array(try tokens.list().map(Self.describe))])
    }

    func createToken(_ call: Call) async throws(HostError) -> WireResponse {
        let body = try RequestBody(call.request.copiedBody, names: ["user", "mayActFor", "use", "seconds"])
        guard let user = try body.string("user") else {
            throw HostError(.invalidRequest, "a token needs a user")
        }
        let use = try body.string("use") ?? Token.Use.tools.rawValue
        guard let use = Token.Use(rawValue: use) else {
            throw HostError(.invalidRequest, "a token is for tools or for metrics, not \(JSONValue.quoted(use))")
        }
        let (record, bearer) = try tokens.create(
            user: user, mayActFor: try body.string("mayActFor"), use: use,
            lifetimeSeconds: try body.integer("seconds"))
        let about: [(String, JSONValue)] = [
            ("token", .string(record.id)), ("user", .string(user)), ("use", .string(use.rawValue)),
        ]
        try self.record("token-created", "", call, about)
        var description = Self.describe(record).objectValue ?? JSONObject()
        description["token"] = .string(bearer)
        return Self.ok(.object(description))
    }

    func revokeToken(_ call: Call) async throws(HostError) -> WireResponse {
        try tokens.revoke(id: call.names[0])
        try record("token-revoked", "", call, [("token", .string(call.names[0]))])
        return Self.ok(["revoked": .string(call.names[0])])
    }

    private static func describe(_ token: Token) -> JSONValue {
        [
            "id": .string(token.id), "user": .string(token.user), "mayActFor": JSONValue(token.mayActFor),
            "created": JSONValue(token.created), "expires": token.expires.map { JSONValue($0) } ?? .null,
            "revoked": token.revoked.map { JSONValue($0) } ?? .null, "use": .string(token.use.rawValue),
        ]
    }

    // MARK: audit

    func tailAudit(_ call: Call) async throws(HostError) -> WireResponse {
        guard let count = Int(call.request.query["count"] ?? "20"), (1...10_000).contains(count) else {
            throw HostError(.invalidRequest, "count is a number from 1 to 10000")
        }
        do {
            let lines = try audit.tail(count).map { $0 + [0x0A] }
            return WireResponse(
                status: 200, headers: [("content-type", "application/jsonl")], body: Array(lines.joined()))
        } catch {
            throw HostError(.storageFailed, error.message)
        }
    }
}
