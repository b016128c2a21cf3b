public import PluginABI

/// A plugin that this host may run.
public struct InstalledPlugin: Sendable, Equatable {
    public var manifest: PluginManifest
    /// SHA-256 of its executable, hex.
    public var digest: String
    /// RFC 3339.
    public var installed: String
    /// Where declared endpoints really lead, by endpoint name; those of `net.connect` are called `host:port`.
    public var endpoints: [String: EndpointOverride]
    /// What an admin decided about its credentials and its users.
    public var choices = PluginChoices()

    public var name: String { manifest.name }

    /// How its processes are kept apart: as the manifest says, but each user has a process where it gets their
    /// credentials, so that no process sees those of two, unless an admin weakened that.
    public var isolation: PluginManifest.Isolation { isIsolationForced ? .perUser : manifest.isolation }

    /// Whether its manifest asks for less than it gets.
    public var isIsolationForced: Bool {
        manifest.isolation == .shared && !choices.weakeningSharedUsers && !usersCredentials.isEmpty
    }

    /// Names of the users' credentials that calls bring into its processes.
    public var usersCredentials: [String] {
        let used = Set(manifest.tools.flatMap(\.credentials))
        return manifest.permissions.credentials
            .filter { $0.scope == .user && $0.delivery == .call }
            .filter { used.contains($0.name) && !choices.revoked.contains($0.name) }.map(\.name)
    }
}

/// What an admin decided about an installed plugin; kept when it is upgraded, gone when it is removed.
public struct PluginChoices: Sendable, Equatable {
    /// Declared credentials that it gets no more.
    public var revoked: Set<String> = []
    /// A weakening: one process may hold the credentials of several users.
    public var weakeningSharedUsers = false
}

/// An admin's word that an endpoint leads elsewhere than its manifest says: a test exchange, say.
public struct EndpointOverride: Sendable, Equatable {
    /// For `net.connect` only its host and port count.
    public var origin: Origin
    /// PEM of the only authority that is trusted there; nil for the system's.
    public var authority: String?
    /// A weakening: this one loopback address may be reached. Shown in red wherever the plugin's permissions are.
    public var weakeningLoopback: Bool

    public init(origin: Origin, authority: String?, weakeningLoopback: Bool) {
        self.origin = origin
        self.authority = authority
        self.weakeningLoopback = weakeningLoopback
    }
}
