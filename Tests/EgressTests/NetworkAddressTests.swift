import Foundation
import PluginABI
import Testing

@testable import Egress

@Suite struct NetworkAddressTests {
    private func address(_ text: String) throws -> NetworkAddress {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return NetworkAddress(bytes: Array(bytes.prefix(4))) }
        try #require(inet_pton(AF_INET6, text, &bytes) == 1, "\(text)")
        return NetworkAddress(bytes: bytes)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0", "223.255.255.255", "2606:4700::1", "2001:200::1", "2a00:1450::8a",
    ])
    func publicAddressesMayBeReached(text: String) throws {
        #expect(try address(text).verdict == .global)
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.0", "127.255.255.255", "127.1.2.3", "::1"])
    func loopbackIsKnownInAllItsSpellings(text: String) throws {
        #expect(try address(text).verdict == .loopback)
    }

    @Test(arguments: [
        ("0.0.0.0", "this network"), ("0.255.255.255", "this network"), ("10.0.0.1", "private"),
        ("10.255.255.255", "private"),
        ("172.16.0.0", "private"), ("172.31.255.255", "private"), ("192.168.0.1", "private"),
        ("100.64.0.0", "carrier-grade NAT"), ("100.127.255.255", "carrier-grade NAT"),
        ("100.100.100.200", "carrier-grade NAT"), ("169.254.169.254", "link-local and cloud metadata"),
        ("169.254.170.2", "link-local and cloud metadata"), ("168.63.129.16", "cloud metadata"),
        ("192.0.0.192", "protocol assignments"), ("198.18.0.1", "benchmarking"), ("198.19.255.255", "benchmarking"),
        ("192.0.2.1", "documentation"), ("198.51.100.1", "documentation"), ("203.0.113.1", "documentation"),
        ("192.88.99.1", "6to4 relay"), ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"), ("255.255.255.255", "reserved"),
        ("::", "not global unicast"), ("::ffff:169.254.169.254", "IPv4-mapped"), ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:8.8.8.8", "IPv4-mapped"), ("::127.0.0.1", "not global unicast"),
        ("64:ff9b::7f00:1", "not global unicast"),
        ("64:ff9b:1::a9fe:a9fe", "not global unicast"), ("100::1", "not global unicast"),
        ("fc00::1", "not global unicast"),
        ("fd00:ec2::254", "not global unicast"), ("fe80::1", "not global unicast"), ("fec0::1", "not global unicast"),
        ("ff02::1", "not global unicast"), ("2002:7f00:1::", "6to4"), ("2001::1", "protocol assignments"),
        ("2001:1ff:ffff::", "protocol assignments"), ("2001:db8::1", "documentation"), ("3fff::1", "documentation"),
        ("5f00::1", "not global unicast"), ("::ffff:0:127.0.0.1", "not global unicast"),
    ])
    func specialAddressesAreRefusedByName(text: String, name: String) throws {
        #expect(try address(text).verdict == .refused(name))
    }

    @Test(arguments: ["0x7f.0.0.1", "0177.0.0.1", "127.1", "2130706433", "0x7f000001", "0", "017700000001"])
    func otherSpellingsOfLoopbackEndAtTheSameVerdict(text: String) {
        let found = NetworkAddress.resolve(text)
        #expect(found.allSatisfy { $0.verdict != .global })
    }

    @Test func addressesAreWrittenInTheirCanonicalForm() throws {
        for text in ["127.0.0.1", "::1", "2001:db8::1", "255.255.255.255"] {
            #expect(try address(text).description == text)
        }
    }
}
