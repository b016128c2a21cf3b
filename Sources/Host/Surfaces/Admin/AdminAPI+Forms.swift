internal import HostAPI
internal import HostCore
internal import JSONBytes

/// Forms for credentials that an admin opens for somebody: `nexus secret request`.
extension AdminAPI {
    func openForm(_ call: Call) async throws(HostError) -> WireResponse {
        let requests = try formsHere()
        let names = (call.request.query["name"] ?? "").split(separator: ",").map(String.init)
        guard !names.isEmpty, names.count <= 8, Set(names).count == names.count else {
            throw HostError(.invalidRequest, "name the credentials, each once, at most 8, with commas between them")
        }
        var addresses: [SecretAddress] = []
        for name in names {
            var one = call
            one.request.query["name"] = name
            addresses.append(try address(one))
        }
        let first = addresses[0]
        guard addresses.allSatisfy({ $0.scope == first.scope }) else {
            throw HostError(.invalidRequest, "global credentials and those of a user do not share a form")
        }
        let wanted = MissingCredentials(plugin: first.plugin, names: names, scope: first.scope, owner: first.owner)
        let invitation = try requests.open(wanted, asker: call.caller.actor)
        return Self.ok([
            "id": .string(invitation.id), "url": .string(invitation.url), "code": .string(invitation.code),
            "seconds": JSONValue(invitation.seconds), "plugin": .string(wanted.plugin), "names": JSONValue(names),
            "user": .string(wanted.owner),
        ])
    }

    /// Answers once the form has ended, or after the time that the query names.
    func watchForm(_ call: Call) async throws(HostError) -> WireResponse {
        let requests = try formsHere()
        guard let seconds = Int(call.request.query["seconds"] ?? "0"), (0...60).contains(seconds) else {
            throw HostError(.invalidRequest, "seconds is a number from 0 to 60")
        }
        guard let state = await requests.wait(for: call.names[0], milliseconds: UInt64(seconds) * 1_000) else {
            throw HostError(.invalidRequest, "there is no form \(JSONValue.quoted(call.names[0]))")
        }
        return Self.ok(["state": .string(state.rawValue), "open": .bool(state.isOpen)])
    }

    func closeForm(_ call: Call) async throws(HostError) -> WireResponse {
        let isClosed = try formsHere().close(call.names[0], reason: "closed by \(call.caller.actor)")
        return Self.ok(["closed": .bool(isClosed)])
    }

    private func formsHere() throws(HostError) -> SecretRequests {
        guard let requests else { throw HostError(.unsupported, "this host serves no forms") }
        return requests
    }
}
