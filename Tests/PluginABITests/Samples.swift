import PluginABI

/// One message of each kind, every field present.
enum Samples {
    static let credential = Credential(name: "key", value: SecretBytes(copying: Array("s3cret-value".utf8)))

    static var full: [Message] {
        [
            .hello(versions: VersionRange(1, 2), name: "echo", sdk: "test/1"),
            .welcome(version: 1, instance: "echo-1", bodyLimit: 1 << 20),
            .abort(ABIError(.unknownKind, "why")), .initialize(configuration: Array("{}".utf8)), .initialized, .start,
            .started, .stop(deadline: 1), .stopped, .dispose, .disposed, .ping(nonce: 1), .pong(nonce: 1),
            .call(
                Message.Call(
                    tool: "echo", arguments: Array(#"{"a":[1,2]}"#.utf8), deadline: 1_790_000_000_000, requestID: "r",
                    credentials: [credential],
                    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b")),
            .result(Message.Payload(json: Array("[1]".utf8), bytes: [0, 1])),
            .error(ABIError(.unavailable, "later"), retryable: true), .cancelled(reason: "gone"),
            .cancel(reason: "gone"), .progress(Message.Progress(done: 3, total: 10, message: "reading")),
            .data([1, 2, 3]), .credit(bytes: 65_536), .tools(json: Array(#"{"tools":[]}"#.utf8)),
            .hostCall(
                Message.HostCall(
                    service: "http.fetch", parent: 1, content: Message.Payload(json: Array("{}".utf8), bytes: [7]),
                    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
            .log(Message.LogRecord(level: .warning, message: "slow", fields: Array(#"{"ms":7}"#.utf8))),
        ]
    }

    static var stream: [UInt8] {
        full.enumerated().flatMap { $0.element.frame(stream: UInt64($0.offset)).encoded() }
    }
}

extension Collection<UInt8> {
    /// A little-endian integer of exactly these bytes; nil if their number is another.
    func littleEndian<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        guard count == Value.bitWidth / 8 else { return nil }
        return reversed().reduce(Value(0)) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }
}
