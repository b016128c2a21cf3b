// What crosses here: a host's name as a stranger spells it. Whatever passes has one spelling only, so that the name
// that is compared with a rule, the name that is resolved and the name in a message are the same.
internal import Glibc

/// A DNS name or an address in its one canonical spelling: lower case, no trailing dot, no brackets.
public struct HostName: Sendable, Hashable, CustomStringConvertible {
    /// `api.example.com`, `192.0.2.1` or `2001:db8::1`.
    public let text: String
    /// Nil for a name that has to be resolved.
    public let literal: NetworkAddress?

    public var description: String { text }

    /// As an authority spells it (RFC 3986 section 3.2.2): an IPv6 address in brackets.
    public var inAuthority: String { literal?.bytes.count == 16 ? "[\(text)]" : text }

    /// Reads `Example.COM.`, `192.0.2.1` or `[2001:db8::1]`.
    ///
    /// Other spellings of addresses, those that inet_aton(3) takes (`127.1`, `0x7f000001`, `2130706433`), are refused:
    /// a resolver would read them as an address, a rule as a name.
    /// - Throws: `EgressRefusal` with `name`.
    public init(_ spelling: some StringProtocol) throws(EgressRefusal) {
        let bytes = Array(spelling.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            let hint = bytes.contains { $0 >= 0x80 } ? "; write international names as xn--…" : ""
            throw Self.refuse(spelling, "has a byte that no host name has\(hint)")
        }
        if bytes.first == UInt8(ascii: "[") || bytes.contains(UInt8(ascii: ":")) {
            let address = try Self.ipv6(spelling, bytes)
            (text, literal) = (address.description, address)
            return
        }
        var name = String(decoding: bytes, as: UTF8.self).lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy({ Self.isLabel($0) }) else {
            throw Self.refuse(
                spelling, "is not a DNS name: labels of 1 to 63 letters, digits and inner hyphens, 253 bytes in all")
        }
        text = name
        guard let last = labels.last, Self.isNumber(last) else {
            literal = nil
            return
        }
        // As in the URL standard: what ends in a number is an IPv4 address or nothing.
        guard let address = Self.ipv4(labels) else {
            throw Self.refuse(spelling, "ends in a number but is not four decimal numbers from 0 to 255")
        }
        literal = address
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-")
            && label.utf8.last != UInt8(ascii: "-")
            && label.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    private static func isNumber(_ label: Substring) -> Bool {
        if label.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return true }
        guard label.hasPrefix("0x") else { return false }
        return label.utf8.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func ipv4(_ labels: [Substring]) -> NetworkAddress? {
        let parts = labels.compactMap { label in UInt8(label).flatMap { String($0) == label ? $0 : nil } }
        return labels.count == 4 && parts.count == 4 ? NetworkAddress(bytes: parts) : nil
    }

    private static func ipv6(_ spelling: some StringProtocol, _ bytes: [UInt8]) throws(EgressRefusal) -> NetworkAddress
    {
        let inner = bytes.dropFirst().dropLast()
        let isPlain = inner.allSatisfy { byte in
            (0x30...0x3A).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == UInt8(ascii: ".")
        }
        var address = [UInt8](repeating: 0, count: 16)
        guard bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]"), isPlain, inner.count <= 45,
            inet_pton(AF_INET6, String(decoding: inner, as: UTF8.self), &address) == 1
        else {
            throw refuse(spelling, "is not a host; only an IPv6 address stands in brackets, and it has no zone")
        }
        return NetworkAddress(bytes: address)
    }

    private static func refuse(_ spelling: some StringProtocol, _ reason: String) -> EgressRefusal {
        EgressRefusal(.name, "the host \"\(EgressRefusal.printable(spelling))\" \(reason)")
    }
}
