/// An instance as the supervisor knows it.
public struct InstanceEntry: Sendable, Equatable {
    public var plugin: String
    public var version: String
    public var instance: String
    /// The principal whose instance it is; nil where all share it.
    public var servedFor: String?
    public var state: String
    public var processID: Int32
    public var callsOpen: Int
    public var callsServed: Int
    /// Unix milliseconds.
    public var started: UInt64
    public var lastUsed: UInt64
    public var memoryLimitBytes: UInt64?
}
