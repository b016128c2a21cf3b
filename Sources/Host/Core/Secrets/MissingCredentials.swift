public import PluginABI

/// Credentials of one plugin that somebody could type into a form: which they are, and whose they will be.
public struct MissingCredentials: Sendable, Equatable {
    public var plugin: String
    /// As the manifest declares them, in its order.
    public var names: [String]
    public var scope: Permissions.CredentialUse.Scope
    /// The principal whom they will belong to; empty for global ones.
    public var owner: String

    public init(plugin: String, names: [String], scope: Permissions.CredentialUse.Scope, owner: String) {
        self.plugin = plugin
        self.names = names
        self.scope = scope
        self.owner = scope == .global ? "" : owner
    }

    var addresses: [SecretAddress] {
        names.map { SecretAddress(scope: scope, owner: owner, plugin: plugin, name: $0) }
    }

    /// What a call lacks of its principal's own. Nil where it lacks a global one too: only an admin can give that, and
    /// a form would not help.
    static func of(
        _ tool: PluginManifest.Tool, of plugin: InstalledPlugin, for caller: Caller, in store: SecretStore
    ) throws(HostError) -> MissingCredentials? {
        var names: [String] = []
        for name in tool.credentials {
            guard let use = plugin.manifest.permissions.credentials.first(where: { $0.name == name }) else { continue }
            let address = SecretAddress(scope: use.scope, owner: caller.principal, plugin: plugin.name, name: name)
            guard try lacks(address, store) else { continue }
            guard use.scope == .user else { return nil }
            names.append(name)
        }
        guard !names.isEmpty else { return nil }
        return MissingCredentials(plugin: plugin.name, names: names, scope: .user, owner: caller.principal)
    }

    /// Whether there is none, or none that may be used.
    private static func lacks(_ address: SecretAddress, _ store: SecretStore) throws(HostError) -> Bool {
        do throws(HostError) {
            return try store.open(address) == nil
        } catch {
            guard error.code == .credentialMissing else { throw error }
            return true
        }
    }
}
