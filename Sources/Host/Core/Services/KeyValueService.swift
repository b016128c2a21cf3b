internal import JSONBytes
public import PluginABI

/// `kv.get`, `kv.put`, `kv.delete` and `kv.list`: values of a plugin's own, for plugins with the permission `kv`.
public struct KeyValueService: HostServices {
    static let services: Set<String> = ["kv.get", "kv.put", "kv.delete", "kv.list"]
    private let store: KeyValueStore

    public init(store: KeyValueStore) { self.store = store }

    public func answer(
        _ call: Message.HostCall, in context: CallContext
    ) async throws(ServiceFailure) -> ServiceAnswer {
        do throws(ABIError) {
            return ServiceAnswer(try serve(call, in: context))
        } catch {
            throw ServiceFailure(error)
        }
    }

    private func serve(_ call: Message.HostCall, in context: CallContext) throws(ABIError) -> Message.Payload {
        let manifest = context.plugin.manifest
        guard let permission = manifest.permissions.keyValue else {
            throw ABIError(
                .permissionDenied, "\(call.service) refused: permissions.kv is not in \(manifest.name)'s manifest")
        }
        let quota = permission.megabytes << 20
        do throws(HostError) {
            switch call.service {
            case "kv.get":
                let bytes = try store.get(try key(call), of: manifest.name)
                return Message.Payload(["found": .bool(bytes != nil)], bytes: bytes ?? [])
            case "kv.put":
                let key = try key(call)
                guard call.content.bytes.count <= HostLimits.valueBytes else {
                    throw refuse(
                        call, "the value has \(call.content.bytes.count) bytes; the limit is \(HostLimits.valueBytes)")
                }
                guard try store.put(key, call.content.bytes, of: manifest.name, quota: quota) else {
                    throw HostError(
                        .unavailable,
                        "kv.put: the values would be over permissions.kv of \(permission.megabytes) MiB; delete some")
                }
                return Message.Payload([:])
            case "kv.delete":
                return Message.Payload(["existed": .bool(try store.delete(try key(call), of: manifest.name))])
            default: return try list(call, of: manifest.name)
            }
        } catch {
            throw Self.answer(error)
        }
    }

    /// Neither a full store nor a wrong request gets better by itself.
    public func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool { false }

    private func list(_ call: Message.HostCall, of plugin: String) throws(HostError) -> Message.Payload {
        let object = try members(call, ["prefix", "after", "limit"])
        let prefix = try text(object["prefix"], "prefix", call) ?? ""
        let after = try text(object["after"], "after", call)
        let limit = object["limit"] ?? 100
        guard let limit = limit.intValue, (1...HostLimits.listedKeys).contains(limit) else {
            throw refuse(call, "limit must be an integer from 1 to \(HostLimits.listedKeys)")
        }
        let (keys, more) = try store.list(prefix: prefix, after: after, limit: limit, of: plugin)
        return Message.Payload(["keys": JSONValue(keys), "more": .bool(more)])
    }

    private func key(_ call: Message.HostCall) throws(HostError) -> String {
        guard let key = try text(try members(call, ["key"])["key"], "key", call), !key.isEmpty else {
            throw refuse(call, "key is needed, a string of 1 to \(HostLimits.keyBytes) bytes")
        }
        return key
    }

    private func members(_ call: Message.HostCall, _ known: Set<String>) throws(HostError) -> JSONObject {
        guard let object = (try? JSONValue(parsing: call.content.json))?.objectValue else {
            throw refuse(call, "the arguments are not a JSON object")
        }
        for member in object.members where !known.contains(member.key) {
            throw refuse(call, "\(member.key.cut(to: 40)): unknown; known: \(known.sorted().joined(separator: ", "))")
        }
        return object
    }

    private func text(_ value: JSONValue?, _ name: String, _ call: Message.HostCall) throws(HostError) -> String? {
        guard let value else { return nil }
        guard let text = value.stringValue, text.utf8.count <= HostLimits.keyBytes else {
            throw refuse(call, "\(name) must be a string of at most \(HostLimits.keyBytes) bytes")
        }
        return text
    }

    private func refuse(_ call: Message.HostCall, _ reason: String) -> HostError {
        HostError(.invalidArguments, "\(call.service): \(reason)")
    }

    /// What a plugin is told; the host's own trouble stays with the host.
    private static func answer(_ error: HostError) -> ABIError {
        switch error.code {
        case .invalidArguments: ABIError(.invalidArguments, error.message)
        case .unavailable: ABIError(.unavailable, error.message)
        default: ABIError(.unavailable, "the host's storage refused")
        }
    }
}
