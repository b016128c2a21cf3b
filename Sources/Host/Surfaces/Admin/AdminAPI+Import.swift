internal import HostCore
internal import JSONBytes

extension AdminAPI {
    /// As `setSecret`, but what is stored already stays as it is: `{"name", "changed"}`.
    func importSecret(_ call: Call) async throws(HostError) -> WireResponse {
        let address = try address(call)
        let isThere = try secrets.holds(address, call.request.body)
        if !isThere { _ = try await setSecret(call) }
        return Self.ok(["name": .string(address.name), "changed": .bool(!isThere)])
    }
}
