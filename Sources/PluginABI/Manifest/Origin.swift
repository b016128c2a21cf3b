/// The scheme, host and port of an HTTPS service, in one canonical spelling (RFC 6454 section 4).
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// Lower-case DNS name, or an IPv4 literal in four decimal parts.
    public let host: String
    public let port: Int

    /// Parses `https://host[:port]`. Anything more, or any second spelling of the same host, is refused.
    public init?(_ text: String) {
        guard text.hasPrefix("https://") else { return nil }
        let rest = text.dropFirst("https://".count)
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.first, Self.isHost(name) else { return nil }
        host = String(name)
        if parts.count == 2 {
            guard let number = Int(parts[1]), (1...65_535).contains(number), String(number) == parts[1] else {
                return nil
            }
            port = number
        } else {
            port = 443
        }
    }

    public var description: String { port == 443 ? "https://\(host)" : "https://\(host):\(port)" }

    /// False for address literals: their last label is a number.
    public var isDNSName: Bool { host.split(separator: ".").last?.first?.isLetter == true && host.contains(".") }

    private static func isHost(_ name: Substring) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }
}
