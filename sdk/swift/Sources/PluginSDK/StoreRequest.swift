/// What a plugin asks of its own key-value store (host services `kv.…`, permission `kv`). Keys have 1 to 256 bytes.
///
///     let old = try call.store(.get("cursor"))
public struct StoreRequest<Answer: Sendable>: Sendable {
    let service: String
    let content: Message.Payload
    let read: @Sendable (Message.Payload) throws(ToolError) -> Answer
}

/// One page of keys, in the order of their bytes.
public struct StoreKeys: Sendable, Equatable {
    public var keys: [String]
    /// Whether there are more after the last.
    public var more: Bool

    public init(keys: [String], more: Bool) {
        self.keys = keys
        self.more = more
    }
}

extension StoreRequest {
    /// The value under a key; nil if there is none.
    public static func get(_ key: String) -> StoreRequest where Answer == [UInt8]? {
        StoreRequest(service: "kv.get", content: Message.Payload(["key": .string(key)])) { answer throws(ToolError) in
            try member("found", of: answer).boolValue == true ? answer.bytes : nil
        }
    }

    /// Writes a value of at most 1,048,576 bytes.
    public static func put(_ key: String, _ value: [UInt8]) -> StoreRequest where Answer == Void {
        StoreRequest(service: "kv.put", content: Message.Payload(["key": .string(key)], bytes: value)) { _ in }
    }

    /// Removes a value; true if there was one.
    public static func delete(_ key: String) -> StoreRequest where Answer == Bool {
        StoreRequest(service: "kv.delete", content: Message.Payload(["key": .string(key)])) {
            answer throws(ToolError) in try member("existed", of: answer).boolValue == true
        }
    }

    /// Keys that start with `prefix`, from the first after `after` on, at most `limit` (1 to 1,000).
    public static func list(
        prefix: String = "", after: String? = nil, limit: Int = 100
    ) -> StoreRequest where Answer == StoreKeys {
        var request = JSONObject([("prefix", .string(prefix)), ("limit", JSONValue(limit))])
        if let after { request["after"] = .string(after) }
        return StoreRequest(service: "kv.list", content: Message.Payload(.object(request))) {
            answer throws(ToolError) in
            let keys = try member("keys", of: answer).arrayValue?.compactMap(\.stringValue) ?? []
            return StoreKeys(keys: keys, more: try member("more", of: answer).boolValue == true)
        }
    }

    private static func member(_ name: String, of answer: Message.Payload) throws(ToolError) -> JSONValue {
        guard let value = (try? JSONValue(parsing: answer.json))?[name] else {
            throw ToolError(.internalError, "the host's answer has no \"\(name)\"")
        }
        return value
    }
}
