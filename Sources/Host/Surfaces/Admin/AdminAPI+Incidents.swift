internal import HostCore
internal import JSONBytes

extension AdminAPI {
    /// With `plugin`, those of one; with `limit`, so many: the latest first, without what each left behind.
    func listIncidents(_ call: Call) async throws(HostError) -> WireResponse {
        let plugin = call.request.query["plugin"]
        guard let limit = Int(call.request.query["limit"] ?? "20"), (1...1_000).contains(limit) else {
            throw HostError(.invalidRequest, "limit is a number from 1 to 1000")
        }
        if let plugin { _ = try catalog.plugin(plugin) }
        let list = try incidents.list(of: plugin, limit: limit).map { incident -> JSONValue in
            let whole = incident.json
            // What is not stored yet has no id.
            let names = ["id", "time", "plugin", "version", "instance", "state", "code", "cause"]
            return .object(JSONObject(names.map { ($0, $0 == "id" && incident.id == 0 ? .null : whole[$0] ?? .null) }))
        }
        return Self.ok(["incidents": .array(list)])
    }

    func showIncident(_ call: Call) async throws(HostError) -> WireResponse {
        guard let id = Int64(call.names[0]) else {
            throw HostError(.invalidRequest, "an incident's id is a number; see `nexus plugin incidents`")
        }
        return Self.ok(try incidents.store.incident(id).json)
    }

    /// Unix milliseconds as JSON.
    static func time(_ milliseconds: UInt64?) -> JSONValue {
        milliseconds.map { JSONValue(Int(clamping: $0)) } ?? .null
    }
}
