// What crosses here: values of secrets, inwards only. No route gives one back.
internal import HostCore
internal import JSONBytes
internal import PluginABI

extension AdminAPI {
    func listSecrets(_ call: Call) async throws(HostError) -> WireResponse {
        Self.ok(["secrets": .array(try secrets.list().map(Self.describe))])
    }

    func showSecret(_ call: Call) async throws(HostError) -> WireResponse {
        let address = try address(call)
        let versions = try secrets.versions(of: address)
        guard !versions.isEmpty else { throw Self.noSuch(address) }
        return Self.ok(["versions": .array(versions.map(Self.describe))])
    }

    func setSecret(_ call: Call) async throws(HostError) -> WireResponse {
        let address = try address(call)
        var expires: Int?
        if let text = call.request.query["expires"] {
            guard let seconds = Int(text) else {
                throw HostError(.invalidRequest, "expires is a time in Unix seconds, not \(JSONValue.quoted(text))")
            }
            expires = seconds
        }
        let isRotation = call.request.query["existing"] == "1"
        if isRotation, try secrets.versions(of: address).isEmpty { throw Self.noSuch(address) }
        try secrets.set(address, call.request.body, expires: expires)
        try recordSecret(isRotation ? "secret-rotated" : "secret-set", address, call)
        return Self.ok([
            "set": .string(address.name), "user": .string(address.owner), "plugin": .string(address.plugin),
        ])
    }

    func removeSecret(_ call: Call) async throws(HostError) -> WireResponse {
        let address = try address(call)
        guard try secrets.remove(address) else { throw Self.noSuch(address) }
        try recordSecret("secret-removed", address, call)
        await supervisor.recycle(address.plugin)
        return Self.ok(["removed": .string(address.name)])
    }

    func rollBackSecret(_ call: Call) async throws(HostError) -> WireResponse {
        let address = try address(call)
        guard let version = call.request.query["version"].flatMap(Int.init) else {
            throw HostError(.invalidRequest, "a rollback needs the number of a version")
        }
        let made = try secrets.rollBack(address, to: version)
        try recordSecret("secret-rolled-back", address, call)
        return Self.ok(["name": .string(address.name), "from": JSONValue(version), "version": JSONValue(made)])
    }

    func rotateMaster(_ call: Call) async throws(HostError) -> WireResponse {
        let body = call.request.body
        let count = try await secrets.rotateMasterAside(body.count == 0 ? nil : body)
        try record("master-rotated", "", call, [("versions", JSONValue(count))])
        return Self.ok(["versions": JSONValue(count)])
    }

    func acceptSecrets(_ call: Call) async throws(HostError) -> WireResponse {
        let reason = try secrets.check()
        if reason != nil {
            try secrets.accept()
            try record("secrets-accepted", "", call)
        }
        return Self.ok(["accepted": JSONValue(reason)])
    }

    private static func describe(_ entry: SecretStore.Entry) -> JSONValue {
        [
            "plugin": .string(entry.address.plugin), "name": .string(entry.address.name),
            "scope": .string(entry.address.scope.rawValue), "user": .string(entry.address.owner),
            "version": JSONValue(entry.version), "created": JSONValue(entry.created),
            "expires": entry.expires.map { JSONValue($0) } ?? .null,
            "used": entry.used.map { JSONValue($0) } ?? .null,
        ]
    }

    private static func noSuch(_ address: SecretAddress) -> HostError {
        HostError(
            .invalidRequest,
            "there is no such secret: \(address.name) of \(address.owner.isEmpty ? "everyone" : address.owner) "
                + "for \(address.plugin); see `nexus secret list`")
    }

    func address(_ call: Call) throws(HostError) -> SecretAddress {
        let query = call.request.query
        guard let plugin = query["plugin"], let name = query["name"] else {
            throw HostError(.invalidRequest, "plugin and name are needed")
        }
        let declared = try catalog.plugin(plugin).manifest.permissions.credentials
        guard let use = declared.first(where: { $0.name == name }) else {
            let known = declared.map(\.name).joined(separator: ", ")
            throw HostError(
                .invalidRequest,
                "\(plugin) declares no credential \"\(name)\" (declared: \(known.isEmpty ? "none" : known))")
        }
        let isGlobal = query["global"] == "1"
        guard isGlobal || use.scope == .user else {
            throw HostError(.invalidRequest, "\(name) is a global credential; add --global")
        }
        let owner = query["user"] ?? call.caller.principal
        guard isGlobal || UserName.isValidPrincipal(owner) else {
            throw HostError(.invalidRequest, "\"\(owner)\" is not a user: \(UserName.rule)")
        }
        return SecretAddress(scope: isGlobal ? .global : .user, owner: owner, plugin: plugin, name: name)
    }

    private func recordSecret(_ event: String, _ address: SecretAddress, _ call: Call) throws(HostError) {
        try record(
            event, address.plugin, call,
            [
                ("name", .string(address.name)), ("scope", .string(address.scope.rawValue)),
                ("owner", .string(address.owner)),
            ])
    }
}
