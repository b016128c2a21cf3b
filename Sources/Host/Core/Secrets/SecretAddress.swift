public import PluginABI

/// Which secret: whose, for which plugin, under which name.
public struct SecretAddress: Sendable, Hashable {
    public var scope: Permissions.CredentialUse.Scope
    /// The principal that owns it; empty for a global secret.
    public var owner: String
    public var plugin: String
    public var name: String

    public init(scope: Permissions.CredentialUse.Scope, owner: String, plugin: String, name: String) {
        self.scope = scope
        self.owner = scope == .global ? "" : owner
        self.plugin = plugin
        self.name = name
    }

    /// What a sealed record is bound to: each part with its length before it, so that no two addresses read the same.
    func associatedData(version: Int) -> [UInt8] {
        var data: [UInt8] = []
        for part in ["nexus-secret-1", scope.rawValue, owner, plugin, name, String(version)] {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.utf8.count).littleEndian) {
                data.append(contentsOf: $0)
            }
            data.append(contentsOf: part.utf8)
        }
        return data
    }
}
