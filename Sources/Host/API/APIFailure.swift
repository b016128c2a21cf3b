public import JSONBytes

/// An error answer: `{"error": {"code", "message", "retryable", "retryAfterMilliseconds"?, "request"?}}`.
public struct APIFailure: Error, Sendable, Equatable {
    public var code: String
    public var message: String
    public var retryable: Bool
    public var retryAfterMilliseconds: Int?
    /// Of a call: its request id, which the logs have too.
    public var request: String?

    public init(
        code: String, message: String, retryable: Bool = false, retryAfterMilliseconds: Int? = nil,
        request: String? = nil
    ) {
        self.request = request
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    public init?(_ json: JSONValue) {
        guard let error = json["error"], let code = error["code"]?.stringValue,
            let message = error["message"]?.stringValue
        else { return nil }
        self.init(
            code: code, message: message, retryable: error["retryable"]?.boolValue ?? false,
            retryAfterMilliseconds: error["retryAfterMilliseconds"]?.intValue, request: error["request"]?.stringValue)
    }

    public var json: JSONValue {
        var error = JSONObject([
            (key: "code", value: .string(code)), (key: "message", value: .string(message)),
            (key: "retryable", value: .bool(retryable)),
        ])
        if let retryAfterMilliseconds { error["retryAfterMilliseconds"] = JSONValue(retryAfterMilliseconds) }
        error["request"] = request.map { .string($0) }
        return ["error": .object(error)]
    }
}
