public import JSONBytes
public import PluginABI
import Testing

extension Message {
    /// The message as the vectors write it: 64-bit integers as decimal text, JSON as its text, other bytes as hex.
    public var vector: JSONValue {
        switch self {
        case .hello(let versions, let name, let sdk):
            [
                "minimum": JSONValue(Int(versions.minimum)), "maximum": JSONValue(Int(versions.maximum)),
                "name": JSONValue(name), "sdk": JSONValue(sdk),
            ]
        case .welcome(let version, let instance, let bodyLimit):
            [
                "version": JSONValue(Int(version)), "instance": JSONValue(instance),
                "bodyLimit": JSONValue(Int(bodyLimit)),
            ]
        case .abort(let error): ["code": JSONValue(error.code.rawValue), "message": JSONValue(error.message)]
        case .error(let error, let retryable):
            [
                "code": JSONValue(error.code.rawValue), "message": JSONValue(error.message),
                "retryable": .bool(retryable),
            ]
        case .initialize(let configuration): ["configuration": Self.text(configuration)]
        case .initialized, .start, .started, .stopped, .dispose, .disposed: [:]
        case .stop(let deadline): ["deadline": JSONValue("\(deadline)")]
        case .ping(let nonce), .pong(let nonce): ["nonce": JSONValue("\(nonce)")]
        case .call(let call):
            [
                "tool": JSONValue(call.tool), "arguments": Self.text(call.arguments),
                "deadline": JSONValue("\(call.deadline)"), "requestID": JSONValue(call.requestID),
                "credentials": .array(
                    call.credentials.map {
                        ["name": JSONValue($0.name), "hex": JSONValue($0.value.withBytes { Hex.text($0) })]
                    }), "traceparent": JSONValue(call.traceparent), "tracestate": JSONValue(call.tracestate),
            ]
        case .result(let payload): ["json": Self.text(payload.json), "hex": JSONValue(Hex.text(payload.bytes))]
        case .cancelled(let reason), .cancel(let reason): ["reason": JSONValue(reason)]
        case .hostCall(let call):
            [
                "service": JSONValue(call.service), "parent": JSONValue("\(call.parent)"),
                "json": Self.text(call.content.json), "hex": JSONValue(Hex.text(call.content.bytes)),
                "traceparent": JSONValue(call.traceparent),
            ]
        case .progress(let progress):
            [
                "done": JSONValue("\(progress.done)"), "total": JSONValue(progress.total.map { "\($0)" }),
                "message": JSONValue(progress.message),
            ]
        case .data(let bytes): ["hex": JSONValue(Hex.text(bytes))]
        case .credit(let bytes): ["bytes": JSONValue(Int(bytes))]
        case .tools(let json): ["json": Self.text(json)]
        case .log(let record):
            [
                "level": JSONValue("\(record.level)"), "message": JSONValue(record.message),
                "fields": record.fields.map { Self.text($0) } ?? .null,
            ]
        }
    }

    private static func text(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: bytes, as: UTF8.self)) }
}
