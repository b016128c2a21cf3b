extension Message {
    /// The frame that carries this message.
    ///
    /// - Note: A call's frame holds its credentials in the clear; whoever sends it wipes it afterwards.
    public func frame(stream: UInt64 = 0) -> Frame {
        var writer = FieldWriter()
        write(to: &writer)
        return Frame(kind: kind, stream: stream, body: writer.body)
    }

    /// Header and body as they go on the wire, in one piece of memory from the start.
    ///
    /// - Note: As for `frame(stream:)`, whoever sends a call wipes these bytes afterwards.
    public func encoded(stream: UInt64 = 0) -> [UInt8] {
        var writer = FieldWriter(headerOf: kind, stream: stream, capacity: likelyBytes)
        write(to: &writer)
        return writer.frame()
    }

    /// Enough for what is usual, so that the frame need not grow.
    private var likelyBytes: Int {
        switch self {
        case .call(let call): 512 + call.arguments.count
        case .result(let payload): 64 + payload.json.count + payload.bytes.count
        default: 128
        }
    }

    private func write(to writer: inout FieldWriter) {
        switch self {
        case .hello(let versions, let name, let sdk):
            writer.write(Tag.versionMinimum, versions.minimum)
            writer.write(Tag.versionMaximum, versions.maximum)
            writer.write(Tag.name, name)
            writer.writeIfPresent(Tag.sdk, sdk)
        case .welcome(let version, let instance, let bodyLimit):
            writer.write(Tag.version, version)
            writer.write(Tag.instance, instance)
            writer.write(Tag.bodyLimit, bodyLimit)
        case .abort(let error):
            writer.write(Tag.code, error.code.rawValue)
            writer.write(Tag.message, error.message)
        case .error(let error, let retryable):
            writer.write(Tag.code, error.code.rawValue)
            writer.write(Tag.message, error.message)
            writer.write(Tag.retryable, UInt8(retryable ? 1 : 0))
        case .initialize(let configuration): writer.write(Tag.configuration, bytes: configuration)
        case .stop(let deadline): writer.write(Tag.stopDeadline, deadline)
        case .ping(let nonce), .pong(let nonce): writer.write(Tag.nonce, nonce)
        case .cancel(let reason), .cancelled(let reason): writer.write(Tag.reason, reason)
        case .call(let call): call.write(to: &writer)
        case .result(let payload):
            writer.write(Tag.json, bytes: payload.json)
            if !payload.bytes.isEmpty { writer.write(Tag.bytes, bytes: payload.bytes) }
        case .hostCall(let call):
            writer.write(Tag.service, call.service)
            writer.write(Tag.parent, call.parent)
            writer.write(Tag.serviceJSON, bytes: call.content.json)
            if !call.content.bytes.isEmpty { writer.write(Tag.serviceBytes, bytes: call.content.bytes) }
            writer.writeIfPresent(Tag.serviceTraceparent, call.traceparent)
        case .progress(let progress):
            writer.write(Tag.done, progress.done)
            if let total = progress.total { writer.write(Tag.total, total) }
            writer.writeIfPresent(Tag.progressMessage, progress.message)
        case .data(let bytes): writer.write(Tag.dataBytes, bytes: bytes)
        case .credit(let bytes): writer.write(Tag.creditBytes, bytes)
        case .tools(let json): writer.write(Tag.tools, bytes: json)
        case .log(let record):
            writer.write(Tag.level, record.level.rawValue)
            writer.write(Tag.logMessage, record.message)
            if let fields = record.fields { writer.write(Tag.logFields, bytes: fields) }
        case .initialized, .start, .started, .stopped, .dispose, .disposed: break
        }
    }
}

extension Message.Call {
    fileprivate func write(to writer: inout FieldWriter) {
        writer.write(Tag.tool, tool)
        writer.write(Tag.arguments, bytes: arguments)
        writer.write(Tag.deadline, deadline)
        writer.write(Tag.requestID, requestID)
        writer.writeIfPresent(Tag.traceparent, traceparent)
        writer.writeIfPresent(Tag.tracestate, tracestate)
        for credential in credentials {
            var nested = FieldWriter()
            nested.write(Tag.credentialName, credential.name)
            credential.value.withBytes { nested.write(Tag.credentialValue, bytes: $0) }
            writer.write(Tag.credential, bytes: nested.body)
            nested.wipe()
        }
    }
}
