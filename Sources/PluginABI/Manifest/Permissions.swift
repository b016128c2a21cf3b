/// What a plugin asks for, each with a reason for a person to read. Nothing else is allowed to it.
public struct Permissions: Sendable, Equatable {
    public var httpFetch: [HTTPFetch] = []
    public var netConnect: [NetConnect] = []
    public var filesystem: [FileAccess] = []
    public var keyValue: KeyValue?
    public var credentials: [CredentialUse] = []
    public var resources = Resources()

    public init() {}

    /// Requests that the host makes for the plugin.
    public struct HTTPFetch: Sendable, Equatable {
        /// The name by which the plugin refers to it.
        public var endpoint: String
        /// `https://host[:port]`, nothing more.
        public var origin: String
        public var methods: [String]
        /// Path prefixes; each starts and ends with a slash.
        public var paths: [String]
        /// What the host puts into a request that names the credentials, in this order; at most one of them signs.
        public var sealed: [SealedUse] = []
        public var reason: String
    }

    /// A TCP connection that the plugin makes itself.
    public struct NetConnect: Sendable, Equatable {
        /// A lower-case DNS name.
        public var host: String
        public var port: Int
        public var reason: String
    }

    /// A file or directory of the host.
    public struct FileAccess: Sendable, Equatable {
        public enum Access: String, Sendable, CaseIterable {
            case read
            case write
        }
        /// Absolute and plain: no dot segments, no empty parts, no slash at the end.
        public var path: String
        public var access: Access
        public var reason: String
    }

    /// A store of keys and values that the host keeps for the plugin.
    public struct KeyValue: Sendable, Equatable {
        /// Keys and values together.
        public var megabytes: Int
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
        public var delivery = Delivery.call
        public var reason: String
    }

    /// What the process may use; absent values are the host's standard.
    public struct Resources: Sendable, Equatable {
        /// Of the whole jail where its host has a memory cgroup, else the address space of each process.
        public var memoryMegabytes: Int?
        /// Processes and threads together.
        public var processes: Int?
        public var openFiles: Int?
        /// 100 is one processor; enforced where the host has a cpu cgroup.
        public var cpuPercent: Int?
        /// Size of /tmp.
        public var temporaryMegabytes: Int?
        /// Absent only if `resources` is.
        public var reason: String?
    }
}
