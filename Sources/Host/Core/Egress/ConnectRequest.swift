internal import JSONBytes
internal import PluginABI

/// A plugin's wish for one TCP connection, read strictly. Nothing here has been allowed yet.
struct ConnectRequest: Sendable, Equatable {
    /// As the plugin spelled it.
    var host: String
    var port: UInt16

    /// - Throws: `ABIError` with `invalidArguments`, naming the member.
    init(_ payload: Message.Payload) throws(ABIError) {
        guard let members = (try? JSONValue(parsing: payload.json))?.objectValue, payload.bytes.isEmpty else {
            throw Self.refuse("the arguments are not a JSON object without bytes")
        }
        for member in members.members where !["host", "port"].contains(member.key) {
            throw Self.refuse("\(member.key.cut(to: 40)): unknown; known: host, port")
        }
        guard let host = members["host"]?.stringValue else { throw Self.refuse("host is needed, a string") }
        guard let port = members["port"]?.intValue.flatMap({ UInt16(exactly: $0) }), port > 0 else {
            throw Self.refuse("port is needed, an integer from 1 to 65535")
        }
        self.host = host
        self.port = port
    }

    private static func refuse(_ reason: String) -> ABIError { ABIError(.invalidArguments, "net.connect: \(reason)") }
}
