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

    public var name: String { manifest.name }
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
