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

    /// For people: `the secret key of alice for bot`.
    var words: String { "the secret \(name) of \(owner.isEmpty ? "everyone" : owner) for \(plugin)" }

    /// What format 1, before data keys, bound a record to. Read once more when such a record is sealed anew.
    func associatedData(version: Int) -> [UInt8] {
        LengthPrefixed.join(["nexus-secret-1", scope.rawValue, owner, plugin, name, String(version)])
    }

    /// What a sealed value, or its wrapped data key, is bound to: docs/SECRETS.md has the layout.
    ///
    /// - Parameter expires: Unix seconds; nil for never.
    func associatedData(_ part: SecretPart, version: Int, expires: Int?) -> [UInt8] {
        LengthPrefixed.join([
            "nexus-secret-2", part.rawValue, scope.rawValue, owner, plugin, name, String(version),
            expires.map { String($0) } ?? "",
        ])
    }

    /// HKDF's info for the key that wraps the data keys of one plugin, scope and owner.
    var wrappingInfo: [UInt8] { LengthPrefixed.join(["nexus-secret-2 kek", plugin, scope.rawValue, owner]) }
}

/// The two sealed parts of a record; neither passes for the other.
enum SecretPart: String {
    case value
    case dataKey = "data-key"
}
