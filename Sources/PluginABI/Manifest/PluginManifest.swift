public import JSONBytes

/// `plugin.json` (manifest-v1.md), read strictly: an unknown field is an error, because a misspelt permission must not
/// pass unseen.
public struct PluginManifest: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case tool
        case connector
        case authentication
        case reporting
    }

    /// What runs the executable.
    public enum Runtime: String, Sendable, CaseIterable {
        /// The kernel: an ELF program.
        case native
        /// The host's Python: a zip application.
        case python
    }

    /// Who shares one process.
    public enum Isolation: String, Sendable, CaseIterable {
        case shared
        case perUser = "per-user"
        case perCall = "per-call"
    }

    /// One tool as agents see it.
    public struct Tool: Sendable, Equatable {
        public var name: String
        public var title: String?
        public var description: String
        /// JSON Schema 2020-12, an object schema, within the keywords of `JSONSchema`.
        public var inputSchema: JSONValue
        public var outputSchema: JSONValue?
        /// MCP tool annotations, checked and passed on as they are.
        public var annotations: JSONValue?
        /// Names of declared credentials that a call of this tool receives.
        public var credentials: [String]
        /// Media type of the bytes that an answer may carry besides its JSON.
        public var content: String?
    }

    public var name: String
    public var version: String
    public var kind: Kind
    public var summary: String
    public var publisher: String?
    public var license: String?
    public var homepage: String?
    public var abi: VersionRange
    public var runtime: Runtime
    /// Relative to the plugin's directory.
    public var executable: String
    public var arguments: [String]
    public var isolation: Isolation
    /// Calls that the host may have open at once in one instance.
    public var concurrency: Int
    public var permissions: Permissions
    public var tools: [Tool]
}

extension PluginManifest {
    /// - Throws: `ManifestError` naming the field.
    public init(parsing bytes: [UInt8]) throws(ManifestError) {
        let root: JSONValue
        do {
            root = try JSONValue(
                parsing: bytes,
                limits: JSONLimits(
                    bytes: ManifestLimits.manifestBytes, depth: ManifestLimits.manifestDepth,
                    values: ManifestLimits.manifestValues))
        } catch {
            throw ManifestError(field: "plugin.json", reason: "\(error)")
        }
        self = try ManifestReader.manifest(ManifestField("", root))
    }
}

/// Why a manifest was refused: the field as a path, and the reason.
public struct ManifestError: Error, Sendable, Equatable, CustomStringConvertible {
    public var field: String
    public var reason: String

    public init(field: String, reason: String) {
        self.field = field
        self.reason = reason
    }

    public var description: String { "\(field): \(reason)" }
}
