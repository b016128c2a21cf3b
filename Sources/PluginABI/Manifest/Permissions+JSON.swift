public import JSONBytes

extension Permissions {
    /// The same shape as in `plugin.json`, with an entry for every permission that is asked for.
    public var json: JSONValue {
        var all = JSONObject()
        all["http.fetch"] = .array(httpFetch.map(\.json))
        all["net.connect"] = .array(
            netConnect.map { ["host": .string($0.host), "port": JSONValue($0.port), "reason": .string($0.reason)] })
        all["filesystem"] = .array(
            filesystem.map {
                ["path": .string($0.path), "access": .string($0.access.rawValue), "reason": .string($0.reason)]
            })
        all["kv"] = keyValue.map { ["megabytes": JSONValue($0.megabytes), "reason": .string($0.reason)] }
        all["credentials"] = .array(credentials.map(\.json))
        all["resources"] = resources.json
        return .object(JSONObject(all.members.filter { $0.value != [] }))
    }
}

extension Permissions.HTTPFetch {
    fileprivate var json: JSONValue {
        var members: [(key: String, value: JSONValue)] = [
            ("endpoint", .string(endpoint)), ("origin", .string(origin)), ("methods", JSONValue(methods)),
            ("paths", JSONValue(paths)),
        ]
        if !sealed.isEmpty { members.append(("sealed", .array(sealed.map(\.json)))) }
        return .object(JSONObject(members + [("reason", .string(reason))]))
    }
}

extension Permissions.CredentialUse {
    fileprivate var json: JSONValue {
        var members: [(key: String, value: JSONValue)] = [("name", .string(name)), ("scope", .string(scope.rawValue))]
        if delivery != .call { members.append(("delivery", .string(delivery.rawValue))) }
        return .object(JSONObject(members + [("reason", .string(reason))]))
    }
}

extension Permissions.Resources {
    /// The numbers by the names that they have in `plugin.json`.
    public var numbers: [(name: String, value: Int)] {
        [
            ("memoryMegabytes", memoryMegabytes), ("processes", processes), ("openFiles", openFiles),
            ("cpuPercent", cpuPercent), ("temporaryMegabytes", temporaryMegabytes),
        ].compactMap { name, value in value.map { (name, $0) } }
    }

    fileprivate var json: JSONValue? {
        guard let reason else { return nil }
        return .object(
            JSONObject(numbers.map { (key: $0.name, value: JSONValue($0.value)) } + [("reason", .string(reason))]))
    }
}
