public import JSONBytes
public import PluginABI
import Testing

extension Message {
    /// The message that a vector describes, as `vector` writes it; what a test sends needs every member.
    public init(kind name: String, vector: JSONValue) throws {
        let read = Reading(vector)
        switch name {
        case "hello":
            self = .hello(
                versions: VersionRange(try read.number("minimum"), try read.number("maximum")),
                name: read.optional("name") ?? "vector", sdk: read.optional("sdk"))
        case "welcome":
            self = .welcome(
                version: try read.number("version"), instance: try read.text("instance"),
                bodyLimit: try read.number("bodyLimit"))
        case "abort": self = .abort(try read.error())
        case "error": self = .error(try read.error(), retryable: vector["retryable"] == true)
        case "initialize": self = .initialize(configuration: try read.bytes("configuration"))
        case "stop": self = .stop(deadline: try read.number("deadline"))
        case "ping": self = .ping(nonce: try read.number("nonce"))
        case "pong": self = .pong(nonce: try read.number("nonce"))
        case "call": self = .call(try read.call())
        case "result": self = .result(try read.payload())
        case "cancelled": self = .cancelled(reason: read.optional("reason") ?? "")
        case "cancel": self = .cancel(reason: read.optional("reason") ?? "")
        case "progress":
            self = .progress(
                Progress(
                    done: try read.number("done"), total: read.optional("total").flatMap { UInt64($0) },
                    message: read.optional("message")))
        case "data":
            let length = vector["length"]?.intValue
            self = .data(try length.map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) } ?? read.hex())
        case "credit": self = .credit(bytes: try read.number("bytes"))
        case "tools": self = .tools(json: try read.bytes("json"))
        case "hostCall":
            self = .hostCall(
                HostCall(
                    service: try read.text("service"), parent: try read.number("parent"), content: try read.payload()))
        case "log":
            let level = LogLevel.allCases.first { "\($0)" == read.optional("level") } ?? .info
            self = .log(LogRecord(level: level, message: try read.text("message")))
        default: self = try #require(Self.empty[name], "there is no message \(name)")
        }
    }

    private static let empty: [String: Message] = [
        "initialized": .initialized, "start": .start, "started": .started, "stopped": .stopped, "dispose": .dispose,
        "disposed": .disposed,
    ]
}

/// Members of a vector's message.
private struct Reading {
    let vector: JSONValue
    init(_ vector: JSONValue) { self.vector = vector }

    func optional(_ name: String) -> String? { vector[name]?.stringValue }
    func text(_ name: String) throws -> String { try #require(optional(name), "\(name) is missing") }
    func bytes(_ name: String) throws -> [UInt8] { Array((optional(name) ?? "{}").utf8) }
    func hex() throws -> [UInt8] { try Hex.bytes(optional("hex") ?? "") }

    /// 64-bit numbers are text, shorter ones numbers.
    func number<Value: FixedWidthInteger>(_ name: String) throws -> Value {
        try #require(
            optional(name).flatMap { Value($0) } ?? vector[name]?.intValue.flatMap { Value(exactly: $0) }, "\(name)")
    }

    func payload() throws -> Message.Payload { Message.Payload(json: try bytes("json"), bytes: try hex()) }

    func error() throws -> ABIError {
        ABIError(ABIError.Code(try text("code")), optional("message") ?? "as the vector says")
    }

    func call() throws -> Message.Call {
        Message.Call(
            tool: try text("tool"), arguments: try bytes("arguments"), deadline: try number("deadline"),
            requestID: try text("requestID"),
            credentials: try (vector["credentials"]?.arrayValue ?? []).map {
                let value = try Hex.bytes(try #require($0["hex"]?.stringValue))
                return Credential(name: try #require($0["name"]?.stringValue), value: SecretBytes(copying: value))
            }, traceparent: optional("traceparent"), tracestate: optional("tracestate"))
    }
}
