internal import JSONBytes

extension Message {
    /// Reads the message that a frame carries.
    ///
    /// - Throws: `ABIError` with `malformedFrame`, `missingField` or `unknownCriticalField`.
    public init(_ frame: Frame) throws(ABIError) { try self.init(frame.kind, frame.body.span.bytes) }

    /// Reads a message from a body that is lent; nothing of it is kept but what the message holds.
    ///
    /// - Throws: as `init(_ frame: Frame)`.
    public init(_ kind: FrameKind, _ body: RawSpan) throws(ABIError) {
        self = try FieldReader.read(body, critical: kind == .call ? Tag.credential : nil) { (fields) throws(ABIError) in
            switch kind {
            case .hello, .welcome, .abort, .initialize, .stop, .ping, .pong: try Self.session(kind, fields)
            case .call: .call(try Call(fields))
            case .hostCall: .hostCall(try HostCall(fields))
            case .result, .error, .cancelled, .cancel: try Self.streamed(kind, fields)
            case .progress, .data, .credit, .tools, .log: try Self.reported(kind, fields)
            case .initialized: .initialized
            case .start: .start
            case .started: .started
            case .stopped: .stopped
            case .dispose: .dispose
            case .disposed: .disposed
            }
        }
    }

    private static func session(_ kind: FrameKind, _ fields: borrowing FieldReader) throws(ABIError) -> Message {
        switch kind {
        case .hello:
            return .hello(
                versions: VersionRange(
                    try fields.requiredInteger(Tag.versionMinimum), try fields.requiredInteger(Tag.versionMaximum)),
                name: try fields.requiredText(Tag.name), sdk: try fields.text(Tag.sdk))
        case .welcome:
            return .welcome(
                version: try fields.requiredInteger(Tag.version), instance: try fields.requiredText(Tag.instance),
                bodyLimit: try fields.requiredInteger(Tag.bodyLimit))
        case .initialize: return .initialize(configuration: try fields.requiredObject(Tag.configuration))
        case .stop: return .stop(deadline: try fields.requiredInteger(Tag.stopDeadline))
        case .ping: return .ping(nonce: try fields.requiredInteger(Tag.nonce))
        case .pong: return .pong(nonce: try fields.requiredInteger(Tag.nonce))
        default: return .abort(try fields.error())
        }
    }

    private static func streamed(_ kind: FrameKind, _ fields: borrowing FieldReader) throws(ABIError) -> Message {
        switch kind {
        case .result:
            return .result(
                Payload(json: try fields.requiredJSON(Tag.json), bytes: try fields.optionalBytes(Tag.bytes)))
        case .error:
            return .error(try fields.error(), retryable: try fields.integer(Tag.retryable, as: UInt8.self) == 1)
        case .cancel: return .cancel(reason: try fields.text(Tag.reason, limit: ABILimits.textBytes) ?? "")
        default: return .cancelled(reason: try fields.text(Tag.reason, limit: ABILimits.textBytes) ?? "")
        }
    }

    private static func reported(_ kind: FrameKind, _ fields: borrowing FieldReader) throws(ABIError) -> Message {
        switch kind {
        case .progress:
            return .progress(
                Progress(
                    done: try fields.requiredInteger(Tag.done), total: try fields.integer(Tag.total, as: UInt64.self),
                    message: try fields.text(Tag.progressMessage, limit: ABILimits.textBytes)))
        case .data:
            let bytes = try fields.required(Tag.dataBytes, limit: ABILimits.dataBytes)
            guard !bytes.isEmpty else { throw ABIError(.malformedFrame, "a data frame without data") }
            return .data(Array(bytes))
        case .credit:
            let bytes: UInt32 = try fields.requiredInteger(Tag.creditBytes)
            guard bytes > 0 else { throw ABIError(.malformedFrame, "a credit of 0 bytes") }
            return .credit(bytes: bytes)
        case .tools: return .tools(json: try fields.requiredObject(Tag.tools))
        default:
            let level = try fields.integer(Tag.level, as: UInt8.self).flatMap(LogLevel.init(rawValue:)) ?? .info
            let text = try fields.requiredText(Tag.logMessage, limit: ABILimits.textBytes)
            return .log(LogRecord(level: level, message: text, fields: try fields.optionalObject(Tag.logFields)))
        }
    }
}

extension Message.Call {
    fileprivate init(_ fields: borrowing FieldReader) throws(ABIError) {
        guard try fields.count(Tag.credential) <= ABILimits.credentialsPerCall else {
            throw ABIError(.malformedFrame, "more than \(ABILimits.credentialsPerCall) credentials in one call")
        }
        var credentials: [Credential] = []
        try fields.forEach(Tag.credential) { (bytes) throws(ABIError) in
            // Lent bytes all the way down: their owner wipes them, and no copy is made that nobody would.
            let nested = try FieldReader(bytes)
            let value = try nested.required(Tag.credentialValue, limit: ABILimits.credentialBytes)
            let name = try nested.requiredText(Tag.credentialName)
            guard !credentials.contains(where: { $0.name == name }) else {
                throw ABIError(.malformedFrame, "two credentials of one call have the same name")
            }
            credentials.append(Credential(name: name, value: SecretBytes(copying: value)))
        }
        self.init(
            tool: try fields.requiredText(Tag.tool), arguments: try fields.requiredObject(Tag.arguments),
            deadline: try fields.requiredInteger(Tag.deadline), requestID: try fields.requiredText(Tag.requestID),
            credentials: credentials, traceparent: try fields.text(Tag.traceparent),
            tracestate: try fields.text(Tag.tracestate, limit: ABILimits.textBytes))
    }
}

extension Message.HostCall {
    fileprivate init(_ fields: borrowing FieldReader) throws(ABIError) {
        let bytes = try fields.optionalBytes(Tag.serviceBytes)
        self.init(
            service: try fields.requiredText(Tag.service), parent: try fields.requiredInteger(Tag.parent),
            content: Message.Payload(json: try fields.requiredObject(Tag.serviceJSON), bytes: bytes),
            traceparent: try fields.text(Tag.serviceTraceparent))
    }
}

extension FieldReader {
    fileprivate func requiredInteger<Value: FixedWidthInteger & BitwiseCopyable>(
        _ tag: FieldTag
    ) throws(ABIError) -> Value {
        guard let value = try integer(tag, as: Value.self) else {
            throw ABIError(.missingField, "field \(tag.rawValue) is missing")
        }
        return value
    }

    fileprivate func requiredObject(_ tag: FieldTag) throws(ABIError) -> [UInt8] {
        let (bytes, value) = try json(tag)
        guard value.objectValue != nil else {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) must be a JSON object, found \(value.typeName)")
        }
        return bytes
    }

    fileprivate func optionalObject(_ tag: FieldTag) throws(ABIError) -> [UInt8]? {
        try count(tag) == 0 ? nil : requiredObject(tag)
    }

    fileprivate func optionalBytes(_ tag: FieldTag) throws(ABIError) -> [UInt8] {
        try optional(tag, limit: ABILimits.bodyBytes).map { Array($0) } ?? []
    }

    fileprivate func requiredJSON(_ tag: FieldTag) throws(ABIError) -> [UInt8] { try json(tag).bytes }

    /// JSON is checked here, once, so that whatever the host carries onward is known to be one document.
    private func json(_ tag: FieldTag) throws(ABIError) -> (bytes: [UInt8], value: JSONValue) {
        let bytes = Array(try required(tag, limit: ABILimits.jsonBytes))
        do {
            return (bytes, try JSONValue(parsing: bytes))
        } catch {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) is not JSON: \(error)")
        }
    }

    fileprivate func error() throws(ABIError) -> ABIError {
        ABIError(
            ABIError.Code(try requiredText(Tag.code)), try requiredText(Tag.message, limit: ABILimits.textBytes))
    }
}
