public import JSONBytes

/// An error answer: `{"error": {"code", "message", "retryable", "retryAfterMilliseconds"?}}`.
public struct APIFailure: Error, Sendable, Equatable {
    public var code: String
    public var message: String
    public var retryable: Bool
    public var retryAfterMilliseconds: Int?

    public init(code: String, message: String, retryable: Bool = false, retryAfterMilliseconds: Int? = nil) {
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
            retryAfterMilliseconds: error["retryAfterMilliseconds"]?.intValue)
    }

    public var json: JSONValue {
        var error = JSONObject([
            (key: "code", value: .string(code)), (key: "message", value: .string(message)),
            (key: "retryable", value: .bool(retryable)),
        ])
        if let retryAfterMilliseconds { error["retryAfterMilliseconds"] = JSONValue(retryAfterMilliseconds) }
        return ["error": .object(error)]
    }
}
