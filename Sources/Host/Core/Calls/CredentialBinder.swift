internal import JSONBytes
internal import PluginABI

/// The credentials of one call: looked up for the principal, opened, named in the log by fingerprint only.
struct BoundCredentials: Sendable {
    /// For the plugin.
    var credentials: [Credential]
    /// For host services only.
    var sealed: SealedCredentials?
    /// Both, for the redactor.
    var all: [Credential]
    var masked: JSONValue

    /// - Throws: `credentialMissing`, with the command that sets it.
    static func bind(
        _ tool: PluginManifest.Tool, of plugin: InstalledPlugin, for caller: Caller, from store: SecretStore
    ) throws(HostError) -> BoundCredentials {
        var (credentials, sealed): ([Credential], [Credential]) = ([], [])
        var masked = JSONObject()
        for name in tool.credentials {
            guard let use = plugin.manifest.permissions.credentials.first(where: { $0.name == name }) else { continue }
            guard !plugin.choices.revoked.contains(name) else { throw .revoked(name, of: plugin.name) }
            guard let value = try value(of: use, for: caller, plugin: plugin.name, from: store) else {
                let whose = use.scope == .user ? "\(caller.principal) has" : "there is"
                let command =
                    use.scope == .user
                    ? "nexus secret set \(plugin.name) \(name) --user \(caller.principal)"
                    : "nexus secret set \(plugin.name) \(name) --global"
                throw HostError(
                    .credentialMissing,
                    "\(tool.name) needs the credential \(name), and \(whose) none; an admin sets it with: \(command)")
            }
            let credential = Credential(name: name, value: value)
            if use.delivery == .sealed { sealed.append(credential) } else { credentials.append(credential) }
            masked[name] = .string("********(\(store.fingerprint(value)))")
        }
        return BoundCredentials(
            credentials: credentials, sealed: SealedCredentials(sealed), all: credentials + sealed,
            masked: .object(masked))
    }

    /// A user's own beats what an admin stored for everybody; a global one is for everybody.
    private static func value(
        of use: Permissions.CredentialUse, for caller: Caller, plugin: String, from store: SecretStore
    ) throws(HostError) -> SecretBytes? {
        if use.scope == .user {
            let own = SecretAddress(scope: .user, owner: caller.principal, plugin: plugin, name: use.name)
            if let value = try store.open(own) { return value }
        }
        return try store.open(SecretAddress(scope: .global, owner: "", plugin: plugin, name: use.name))
    }
}

extension HostError {
    static func revoked(_ credential: String, of plugin: String) -> HostError {
        HostError(
            .forbidden,
            "an admin revoked the credential \(credential) of \(plugin); "
                + "to grant it again: nexus secret grants \(plugin) --grant \(credential)")
    }
}
