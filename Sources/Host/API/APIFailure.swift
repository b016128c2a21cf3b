public import JSONBytes

/// An error answer: `{"error": {"code", "message", "retryable"}}`.
public struct APIFailure: Error, Sendable, Equatable {
    public var code: String
    public var message: String
    public var retryable: Bool

    public init(code: String, message: String, retryable: Bool = false) {
        self.code = code
        self.message = message
        self.retryable = retryable
    }

    public init?(_ json: JSONValue) {
        guard let error = json["error"], let code = error["code"]?.stringValue,
            let message = error["message"]?.stringValue
        else { return nil }
        self.init(code: code, message: message, retryable: error["retryable"]?.boolValue ?? false)
    }

    public var json: JSONValue {
        ["error": ["code": .string(code), "message": .string(message), "retryable": .bool(retryable)]]
    }
}
