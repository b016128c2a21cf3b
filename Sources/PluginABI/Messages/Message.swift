// What crosses between host and plugin, one case per frame kind. Plugins are hostile: decoding checks every length, and
// who may send what in which state is the Lifecycle's business, not the decoder's.
public import JSONBytes

/// A decoded message. JSON fields stay bytes: the host carries arguments and results without re-encoding them.
public enum Message: Sendable {
    case hello(versions: VersionRange, name: String, sdk: String?)
    case welcome(version: UInt32, instance: String, bodyLimit: UInt32)
    case abort(ABIError)
    case initialize(configuration: [UInt8])
    case initialized
    case start
    case started
    case stop(deadline: UInt64)
    case stopped
    case dispose
    case disposed
    case ping(nonce: UInt64)
    case pong(nonce: UInt64)
    case call(Call)
    case result(Payload)
    case error(ABIError, retryable: Bool)
    case cancelled(reason: String)
    case cancel(reason: String)
    case progress(Progress)
    /// A part of the byte payload of a call's answer; never empty.
    case data([UInt8])
    case credit(bytes: UInt32)
    /// One JSON object.
    case tools(json: [UInt8])
    case hostCall(HostCall)
    case log(LogRecord)

    /// A request of an agent, with what it may use.
    public struct Call: Sendable {
        public var tool: String
        /// One JSON object.
        public var arguments: [UInt8]
        /// Absolute, Unix time in milliseconds.
        public var deadline: UInt64
        public var requestID: String
        public var credentials: [Credential]
        /// W3C Trace Context, as it came.
        public var traceparent: String?
        public var tracestate: String?

        public init(
            tool: String, arguments: [UInt8], deadline: UInt64, requestID: String, credentials: [Credential] = [],
            traceparent: String? = nil, tracestate: String? = nil
        ) {
            self.tool = tool
            self.arguments = arguments
            self.deadline = deadline
            self.requestID = requestID
            self.credentials = credentials
            self.traceparent = traceparent
            self.tracestate = tracestate
        }
    }

    /// A request of a plugin for a host service, on behalf of the call `parent`.
    public struct HostCall: Sendable {
        public var service: String
        public var parent: UInt64
        public var content: Payload
        /// W3C Trace Context.
        public var traceparent: String?

        public init(service: String, parent: UInt64, content: Payload, traceparent: String? = nil) {
            self.service = service
            self.parent = parent
            self.content = content
            self.traceparent = traceparent
        }
    }

    /// JSON, and raw bytes beside it where a service needs them (an HTTP body, say).
    public struct Payload: Sendable, Equatable {
        public var json: [UInt8]
        public var bytes: [UInt8]

        public init(json: [UInt8], bytes: [UInt8] = []) {
            self.json = json
            self.bytes = bytes
        }

        public init(_ value: JSONValue, bytes: [UInt8] = []) { self.init(json: value.encoded(), bytes: bytes) }
    }

    /// How far a call is, in units of the plugin's choice.
    public struct Progress: Sendable, Equatable {
        public var done: UInt64
        public var total: UInt64?
        public var message: String?

        public init(done: UInt64, total: UInt64? = nil, message: String? = nil) {
            self.done = done
            self.total = total
            self.message = message
        }
    }

    public enum LogLevel: UInt8, Sendable, CaseIterable {
        case debug = 1
        case info = 2
        case warning = 3
        case error = 4
    }

    public struct LogRecord: Sendable, Equatable {
        public var level: LogLevel
        public var message: String
        /// Named values beside the message: one JSON object.
        public var fields: [UInt8]?

        public init(level: LogLevel, message: String, fields: [UInt8]? = nil) {
            self.level = level
            self.message = message
            self.fields = fields
        }
    }

    public var kind: FrameKind {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .abort: .abort
        case .initialize: .initialize
        case .initialized: .initialized
        case .start: .start
        case .started: .started
        case .stop: .stop
        case .stopped: .stopped
        case .dispose: .dispose
        case .disposed: .disposed
        case .ping: .ping
        case .pong: .pong
        case .call: .call
        case .result: .result
        case .error: .error
        case .cancelled: .cancelled
        case .cancel: .cancel
        case .progress: .progress
        case .data: .data
        case .credit: .credit
        case .tools: .tools
        case .hostCall: .hostCall
        case .log: .log
        }
    }
}
