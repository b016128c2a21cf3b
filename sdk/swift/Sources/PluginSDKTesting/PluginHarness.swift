#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif
internal import JSONBytes
internal import PluginABI
public import PluginSDK

/// Runs a plugin inside a test, against a host that is made of closures: no process, no socket, no jail.
///
///     let harness = try await PluginHarness(plugin)
///     let answer = await harness.call("hello_greet", ["name": "Ada"])
///     #expect(answer.value == ["greeting": "Hello, Ada!"])
///
/// The plugin lives on a thread of its own until `stop`, or until the harness goes.
public final class PluginHarness: Sendable {
    private let host: HarnessHost

    /// Starts the plugin. It belongs to the harness from here on.
    ///
    /// - Throws: `HarnessFailure` with the plugin's own words if it does not start.
    public init(
        _ plugin: sending Plugin, configuration: JSONValue = [:], services: HarnessServices = HarnessServices()
    ) async throws {
        host = HarnessHost(services: services)
        try await host.start(plugin, configuration: configuration)
    }

    deinit { host.hangUp() }

    /// Calls a tool and waits for its end. Cancelling the task that waits cancels the call.
    ///
    /// - Parameters:
    ///   - credit: Bytes of `data` beyond the first 262,144 that the host takes; it grants them as they are used up.
    public func call(
        _ tool: String, _ arguments: JSONValue = [:], credentials: [String: String] = [:],
        milliseconds: UInt64 = 60_000, traceparent: String? = nil, credit: Int = .max
    ) async -> HarnessAnswer {
        let call = Message.Call(
            tool: tool, arguments: arguments.encoded(), deadline: Clock.unixMilliseconds() + milliseconds,
            requestID: "harness",
            credentials: credentials.map { name, value in
                Credential(name: name, value: SecretBytes(copying: value.utf8))
            }, traceparent: traceparent)
        let stream = host.nextStream()
        return await withTaskCancellationHandler {
            await host.call(call, stream: stream, credit: credit)
        } onCancel: {
            host.cancel(stream)
        }
    }

    /// Records outside of calls.
    public var logs: [Message.LogRecord] { host.sessionLogs }

    /// Stops the plugin and disposes of it. Calls in flight have so many milliseconds to end.
    ///
    /// - Throws: `HarnessFailure` if it does not end well.
    public func stop(milliseconds: UInt64 = 5_000) async throws { try await host.stop(milliseconds) }
}

/// The plugin did not start or end as it should.
public struct HarnessFailure: Error, Sendable, CustomStringConvertible {
    public var description: String
}

/// What the fake host offers; what is nil it refuses with `permission-denied`.
public struct HarnessServices: Sendable {
    public typealias Answer = @Sendable (HarnessRequest) throws -> HTTPResponse

    /// Given host and port; the descriptor that it returns, one end of a socketpair for instance, is the plugin's then.
    public typealias Connect = @Sendable (String, Int) throws -> Int32

    public var http: Answer?
    public var connect: Connect?
    /// The plugin's own store, as it is at the start.
    public var store: [String: [UInt8]]?

    public init(http: Answer? = nil, connect: Connect? = nil, store: [String: [UInt8]]? = nil) {
        self.http = http
        self.connect = connect
        self.store = store
    }
}

/// A request of the plugin as the host sees it, with credentials in their places.
public struct HarnessRequest: Sendable, Equatable {
    public var endpoint: String
    public var method: String
    public var path: String
    public var query: String?
    public var headers: [String: String]
    /// Sealed credentials that the real host would use, by name.
    public var sealed: [String]
    public var body: [UInt8]
}

/// How a call ended, and all that it said before.
public struct HarnessAnswer: Sendable {
    public enum Ending: Sendable, Equatable {
        case result(JSONValue)
        case error(ToolError)
        case cancelled
        /// The session ended first.
        case none(String)
    }

    public var ending: Ending = .none("the call has not ended")
    /// What came as `data`, and the bytes of the result after it.
    public var bytes: [UInt8] = []
    public var progress: [Message.Progress] = []
    public var logs: [Message.LogRecord] = []
    /// Where the result breaks the output schema that the tool declares.
    public var violations: [String] = []

    public var value: JSONValue? {
        if case .result(let value) = ending { return value }
        return nil
    }

    public var error: ToolError? {
        if case .error(let error) = ending { return error }
        return nil
    }
}
