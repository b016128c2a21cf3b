internal import JSONBytes

/// `secretForm` of nexus.json: a listener with a certificate for the form of credentials, for users of other machines.
/// Without it the form is served on loopback only.
public struct SecretFormSettings: Sendable, Equatable {
    /// What it listens on, such as `0.0.0.0`.
    public var address: String
    public var port: Int
    /// The names that browsers may call it by; links have the first.
    public var names: [String]
    /// Files in PEM: the chain, and its key.
    public var certificate: String
    public var key: String

    private static let members = ["address", "port", "names", "certificate", "key"]

    /// - Throws: `invalidConfiguration` with the member's path.
    init(_ value: JSONValue) throws(HostError) {
        guard let object = value.objectValue else { throw Self.error("must be an object, found \(value.typeName)") }
        if let stranger = object.members.first(where: { !Self.members.contains($0.key) }) {
            throw Self.error(
                "has the unknown member \(JSONValue.quoted(String(stranger.key.prefix(100)))); known there: "
                    + Self.members.joined(separator: ", "))
        }
        func path(_ name: String) throws(HostError) -> String {
            guard let text = object[name]?.stringValue, text.hasPrefix("/") else {
                throw Self.error("\(name) must be the absolute path of a file in PEM")
            }
            return text
        }
        let port = object["port"]?.intValue ?? -1
        guard (1...65_535).contains(port) else { throw Self.error("port must be a number from 1 to 65535") }
        let names = object["names"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard (1...16).contains(names.count), names.count == object["names"]?.arrayValue?.count,
            names.allSatisfy(Self.isName)
        else { throw Self.error("names must be 1 to 16 host names, such as nexus.example.org") }
        self.port = port
        self.names = names
        address = object["address"]?.stringValue ?? "0.0.0.0"
        certificate = try path("certificate")
        key = try path("key")
    }

    /// Where its pages are.
    public var base: String { port == 443 ? "https://\(names[0])" : "https://\(names[0]):\(port)" }

    private static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789.-".utf8.contains($0) }
    }

    private static func error(_ text: String) -> HostError { HostError(.invalidConfiguration, "secretForm: \(text)") }
}
