/// What a plugin asks for, each with a reason for a person to read. Nothing else is allowed to it.
public struct Permissions: Sendable, Equatable {
    public var httpFetch: [HTTPFetch] = []
    public var credentials: [CredentialUse] = []
    public var resources = Resources()

    /// Requests that the host makes for the plugin.
    public struct HTTPFetch: Sendable, Equatable {
        /// The name by which the plugin refers to it.
        public var endpoint: String
        /// `https://host[:port]`, nothing more.
        public var origin: String
        public var methods: [String]
        /// Path prefixes; each starts and ends with a slash.
        public var paths: [String]
        public var reason: String
    }

    /// A credential that may be bound to a call.
    public struct CredentialUse: Sendable, Equatable {
        public enum Scope: String, Sendable, CaseIterable {
            case user
            case global
        }
        public var name: String
        public var scope: Scope
        public var reason: String
    }

    /// What the process may use; absent values are the host's standard.
    public struct Resources: Sendable, Equatable {
        public var memoryMegabytes: Int?
        public var processes: Int?
        public var openFiles: Int?
    }
}
