internal import JSONBytes
internal import PluginABI

/// The credentials of one call: looked up for the principal, opened, named in the log by fingerprint only.
struct BoundCredentials: Sendable {
    var credentials: [Credential]
    var masked: JSONValue

    /// - Throws: `credentialMissing`, with the command that sets it.
    static func bind(
        _ tool: PluginManifest.Tool, of plugin: InstalledPlugin, for caller: Caller, from store: SecretStore
    ) throws(HostError) -> BoundCredentials {
        var credentials: [Credential] = []
        var masked = JSONObject()
        for name in tool.credentials {
            guard let use = plugin.manifest.permissions.credentials.first(where: { $0.name == name }) else { continue }
            guard !plugin.choices.revoked.contains(name) else { throw .revoked(name, of: plugin.name) }
            let address = SecretAddress(scope: use.scope, owner: caller.principal, plugin: plugin.name, name: name)
            guard let value = try store.open(address) else {
                let whose = use.scope == .user ? "\(caller.principal) has" : "there is"
                let command =
                    use.scope == .user
                    ? "nexus secret set \(plugin.name) \(name) --user \(caller.principal)"
                    : "nexus secret set \(plugin.name) \(name) --global"
                throw HostError(
                    .credentialMissing,
                    "\(tool.name) needs the credential \(name), and \(whose) none; an admin sets it with: \(command)")
            }
            credentials.append(Credential(name: name, value: value))
            masked[name] = .string("********(\(store.fingerprint(value)))")
        }
        return BoundCredentials(credentials: credentials, masked: .object(masked))
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
