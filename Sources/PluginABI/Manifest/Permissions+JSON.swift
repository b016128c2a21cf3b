public import JSONBytes

extension Permissions {
    /// The same shape as in `plugin.json`, with an entry for every permission that is asked for.
    public var json: JSONValue {
        var all = JSONObject()
        all["http.fetch"] = .array(
            httpFetch.map {
                [
                    "endpoint": .string($0.endpoint), "origin": .string($0.origin), "methods": JSONValue($0.methods),
                    "paths": JSONValue($0.paths), "reason": .string($0.reason),
                ]
            })
        all["net.connect"] = .array(
            netConnect.map { ["host": .string($0.host), "port": JSONValue($0.port), "reason": .string($0.reason)] })
        all["filesystem"] = .array(
            filesystem.map {
                ["path": .string($0.path), "access": .string($0.access.rawValue), "reason": .string($0.reason)]
            })
        all["kv"] = keyValue.map { ["megabytes": JSONValue($0.megabytes), "reason": .string($0.reason)] }
        all["credentials"] = .array(
            credentials.map {
                ["name": .string($0.name), "scope": .string($0.scope.rawValue), "reason": .string($0.reason)]
            })
        all["resources"] = resources.json
        return .object(JSONObject(all.members.filter { $0.value != [] }))
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
