internal import Glibc
internal import NIOCore

/// A resolved address and whether a plugin may be led to it. The list of what is refused is that of the IANA special
/// registries (RFC 6890 and its updates), and one public address that is a cloud's metadata service; IPv6 is the other
/// way round: global unicast only.
public struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, network order.
    public let bytes: [UInt8]

    public enum Verdict: Sendable, Equatable {
        case global
        case loopback
        case refused(String)
    }

    public var verdict: Verdict { bytes.count == 4 ? Self.judge(ipv4: bytes) : Self.judge(ipv6: bytes) }

    private static let ipv4Refused: [(prefix: [UInt8], bits: Int, name: String)] = [
        ([0, 0, 0, 0], 8, "this network"), ([10, 0, 0, 0], 8, "private"), ([100, 64, 0, 0], 10, "carrier-grade NAT"),
        ([169, 254, 0, 0], 16, "link-local and cloud metadata"), ([168, 63, 129, 16], 32, "cloud metadata"),
        ([172, 16, 0, 0], 12, "private"),
        ([192, 0, 0, 0], 24, "protocol assignments"), ([192, 0, 2, 0], 24, "documentation"),
        ([192, 88, 99, 0], 24, "6to4 relay"), ([192, 168, 0, 0], 16, "private"), ([198, 18, 0, 0], 15, "benchmarking"),
        ([198, 51, 100, 0], 24, "documentation"), ([203, 0, 113, 0], 24, "documentation"),
        ([224, 0, 0, 0], 4, "multicast"),
        ([240, 0, 0, 0], 4, "reserved"),
    ]

    private static let ipv6Refused: [(prefix: [UInt8], bits: Int, name: String)] = [
        ([0x20, 0x01, 0x00, 0x00], 23, "protocol assignments"), ([0x20, 0x01, 0x0D, 0xB8], 32, "documentation"),
        ([0x20, 0x02], 16, "6to4"), ([0x3F, 0xFF, 0x00], 20, "documentation"),
    ]

    private static func judge(ipv4: [UInt8]) -> Verdict {
        if ipv4[0] == 127 { return .loopback }
        let rule = ipv4Refused.first { matches(ipv4, $0.prefix, bits: $0.bits) }
        return rule.map { .refused($0.name) } ?? .global
    }

    private static func judge(ipv6: [UInt8]) -> Verdict {
        if ipv6.dropLast().allSatisfy({ $0 == 0 }), ipv6[15] == 1 { return .loopback }
        if ipv6.prefix(10).allSatisfy({ $0 == 0 }), ipv6[10] == 0xFF, ipv6[11] == 0xFF {
            return .refused("IPv4-mapped")
        }
        guard ipv6[0] & 0xE0 == 0x20 else { return .refused("not global unicast") }
        let rule = ipv6Refused.first { matches(ipv6, $0.prefix, bits: $0.bits) }
        return rule.map { .refused($0.name) } ?? .global
    }

    private static func matches(_ address: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            let expected = bit / 8 < prefix.count ? prefix[bit / 8] : 0
            return address[bit / 8] & mask == expected & mask
        }
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Every address of a name, by getaddrinfo(3). Blocks: call it off the event loops.
    public static func resolve(_ host: String) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var next = list
        while let entry = next {
            if let address = NetworkAddress(entry.pointee.ai_addr), !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }

    /// Those of its interfaces, as the kernel lists them now (netdevice(7)). An address that a router maps to this
    /// machine is none of them.
    ///
    /// - Throws: `EgressRefusal` with `address` when the kernel does not list them: nobody may be reached then.
    public static func ofThisMachine() throws(EgressRefusal) -> [NetworkAddress] {
        let devices: [NIONetworkDevice]
        do {
            devices = try System.enumerateDevices()
        } catch {
            throw EgressRefusal(
                .address, "the addresses of this machine, which plugins may not reach, cannot be listed: \(error)")
        }
        return devices.compactMap(\.address?.ipAddress).compactMap { text in
            var bytes = [UInt8](repeating: 0, count: 16)
            // Without the zone of a link-local one.
            let plain = String(text.prefix { $0 != "%" })
            if inet_pton(AF_INET, plain, &bytes) == 1 { return NetworkAddress(bytes: Array(bytes.prefix(4))) }
            return inet_pton(AF_INET6, plain, &bytes) == 1 ? NetworkAddress(bytes: bytes) : nil
        }
    }

    /// - Parameter bytes: 4 or 16 of them; any other number makes `::`, which nobody may reach.
    public init(bytes: [UInt8]) {
        self.bytes = bytes.count == 4 || bytes.count == 16 ? bytes : [UInt8](repeating: 0, count: 16)
    }

    private init?(_ address: UnsafeMutablePointer<sockaddr>?) {
        guard let address else { return nil }
        // By offset (ip(7), ipv6(7)): whose module the members belong to depends on how the program is linked.
        let whole = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: bytes = Array(UnsafeRawBufferPointer(start: whole + 4, count: 4))
        case AF_INET6: bytes = Array(UnsafeRawBufferPointer(start: whole + 8, count: 16))
        default: return nil
        }
    }
}
