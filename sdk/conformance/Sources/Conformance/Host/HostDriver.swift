// What the kit needs of a host: to load a directory with a plugin, make calls, and say how the plugin is doing. A
// driver for each kind of host does that; sdk/conformance/HOSTS.md is the same contract for other processes.

/// Makes hosts to be judged.
public protocol HostDriver: Sendable {
    /// A host with these plugins in it; none of them has to run yet.
    func open(_ plugins: [HostPlugin]) async throws(HostDriverFailure) -> any HostUnderTest
}

/// A host with a few plugins. Whoever has it calls `close`.
public protocol HostUnderTest: Sendable {
    var abilities: Set<HostAbility> { get }
    /// Starts a plugin; returns once it is running or has failed.
    func start(_ plugin: String) async -> HostAnswer
    func call(_ call: HostToolCall) async -> HostAnswer
    func state(of plugin: String) async -> HostPluginState
    /// Stops a plugin; returns once its process is gone.
    func stop(_ plugin: String) async
    /// Ends the host and everything that it started.
    func close() async
}

/// What some drivers can do and some cannot. Checks that need more than the driver can are skipped.
public enum HostAbility: String, Sendable, CaseIterable {
    /// The caller can give up a call.
    case cancel
    /// The caller can choose a call's deadline.
    case deadline
    /// The caller can own credentials.
    case credentials
    /// The byte payload of an answer reaches the caller.
    case bytes
    /// The plugin's captured output can be read.
    case log
    /// Dropped late frames are counted.
    case late
}

/// A plugin to be loaded.
public struct HostPlugin: Sendable {
    /// As in its manifest.
    public var name: String
    /// Holds plugin.json and the executable that it names.
    public var directory: String
    /// What its caller owns, by name.
    public var credentials: [String: String]

    public init(name: String, directory: String, credentials: [String: String] = [:]) {
        self.name = name
        self.directory = directory
        self.credentials = credentials
    }
}

/// One call of a tool.
public struct HostToolCall: Sendable {
    public var plugin: String
    public var tool: String
    /// A JSON object, byte by byte as it is to arrive.
    public var arguments: [UInt8]
    public var cancelAfterMilliseconds: Int?
    public var deadlineMilliseconds: Int?

    public init(plugin: String, tool: String, arguments: [UInt8]) {
        self.plugin = plugin
        self.tool = tool
        self.arguments = arguments
    }
}

/// What a caller got.
public enum HostAnswer: Sendable, Equatable {
    case result(json: [UInt8], bytes: [UInt8])
    case failure(code: String, message: String, retryable: Bool)
}

/// How a plugin is doing.
public struct HostPluginState: Sendable, Equatable {
    /// `running`, `starting`, `stopped` or `failed`.
    public var state: String
    /// Why it failed.
    public var cause: String
    /// Late frames that were dropped.
    public var late: Int
    /// The last lines of its captured output.
    public var log: [String]

    public init(state: String, cause: String = "", late: Int = 0, log: [String] = []) {
        self.state = state
        self.cause = cause
        self.late = late
        self.log = log
    }
}

/// The driver, not the host, failed.
public struct HostDriverFailure: Error, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
