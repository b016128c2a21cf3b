internal import HostCore
internal import JSONBytes

/// The JSON object of a request, read strictly: a wish that is misspelt or of the wrong type is refused, because what
/// it
/// would fall back to may be the weaker choice (a token without an end, an endpoint without its own authority).
struct RequestBody {
    private let object: JSONObject

    init(_ bytes: [UInt8], names: Set<String>) throws(HostError) {
        guard let object = (try? JSONValue(parsing: bytes))?.objectValue else {
            throw HostError(.invalidRequest, "the body must be a JSON object")
        }
        for member in object.members where !names.contains(member.key) {
            throw HostError(
                .invalidRequest,
                "\(JSONValue.quoted(member.key)) is unknown; known: \(names.sorted().joined(separator: ", "))")
        }
        self.object = object
    }

    /// nil where it is absent or null.
    func string(_ name: String) throws(HostError) -> String? { try read(name, "a string", \.stringValue) }
    func integer(_ name: String) throws(HostError) -> Int? { try read(name, "an integer", \.intValue) }
    func flag(_ name: String) throws(HostError) -> Bool? { try read(name, "true or false", \.boolValue) }

    private func read<Value>(
        _ name: String, _ type: String, _ convert: (JSONValue) -> Value?
    ) throws(HostError) -> Value? {
        guard let member = object[name], member != .null else { return nil }
        guard let value = convert(member) else { throw HostError(.invalidRequest, "\(name) must be \(type)") }
        return value
    }
}
