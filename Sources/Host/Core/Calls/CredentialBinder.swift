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
            let credential = Credential(name: name, value: value)
            if use.delivery == .sealed { sealed.append(credential) } else { credentials.append(credential) }
            masked[name] = .string("********(\(store.fingerprint(value)))")
        }
        return BoundCredentials(
            credentials: credentials, sealed: SealedCredentials(sealed), all: credentials + sealed,
            masked: .object(masked))
    }
}
