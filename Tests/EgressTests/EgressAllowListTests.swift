import Testing

@testable import Egress

@Suite struct EgressAllowListTests {
    private func list(_ rules: String...) throws -> EgressAllowList {
        EgressAllowList(try rules.map { try EgressRule($0) })
    }

    private func refusal(_ list: EgressAllowList, _ target: String) -> EgressRefusal? {
        do throws(EgressRefusal) {
            _ = try list.rule(for: EgressTarget(target))
            return nil
        } catch {
            return error
        }
    }

    @Test func emptyAllowListAllowsNothing() {
        for target in ["example.com:443", "127.0.0.1:80", "[::1]:80", "localhost:1"] {
            #expect(refusal(EgressAllowList([]), target)?.message == "\(target) is not allowed; allowed: nothing")
        }
    }

    @Test func onlyTheDeclaredHostAndPortAreAllowed() throws {
        let list = try list("api.example.com:443", "db.example.com:5432")
        #expect(refusal(list, "api.example.com:443") == nil)
        #expect(refusal(list, "API.example.com.:443") == nil)
        #expect(
            refusal(list, "api.example.com:22")?.message
                == "api.example.com:22 is not allowed; allowed: api.example.com:443, db.example.com:5432")
        for other in ["db.example.com:443", "example.com:443", "x.api.example.com:443", "api.example.com.evil.com:443"]
        {
            #expect(refusal(list, other)?.rule == .notAllowed, "\(other)")
        }
    }

    @Test func sshIsAllowedWhereItsPortIsDeclaredOnly() throws {
        #expect(refusal(try list("github.com:443"), "github.com:22")?.rule == .notAllowed)
        #expect(refusal(try list("github.com:22"), "github.com:22") == nil)
    }

    @Test func suffixWithoutDotIsRefused() throws {
        let list = try list("*.example.com:443")
        for good in ["a.example.com:443", "a.b.example.com:443", "A.EXAMPLE.COM.:443"] {
            #expect(refusal(list, good) == nil, "\(good)")
        }
        for bad in [
            "evilexample.com:443", "example.com:443", "a.example.com.evil.com:443", "a-example.com:443",
            "a.example.com:80", "example.com.evil.com:443",
        ] {
            #expect(refusal(list, bad)?.rule == .notAllowed, "\(bad)")
        }
    }

    @Test(arguments: [
        "*:443", "*.com:443", "**.example.com:443", "*example.com:443", "a.*.com:443", "*.*.com:443", "*.1.2.3.4:443",
        "*.[::1]:443", "*..example.com:443",
    ])
    func rulesThatWouldNameEverybodyAreRefused(text: String) {
        #expect(throws: EgressRefusal.self) { try EgressRule(text) }
    }

    @Test(arguments: [
        "example.com", "example.com:", "example.com:0", "example.com:65536", "example.com:+443", "example.com:0443",
        "example.com:443 ", "example.com: 443", "example.com:443:443", ":443", "example.com:-1", "example.com:٤٤٣",
        "example.com:0x1bb", "user@example.com:443", "https://example.com:443", "[::1]", "::1:443",
    ])
    func whatIsNotHostAndPortIsRefused(text: String) {
        #expect(throws: EgressRefusal.self) { try EgressTarget(text) }
    }

    @Test func longListsAreNamedInPart() throws {
        let list = EgressAllowList(try (0..<20).map { try EgressRule("h\($0).example.com:443") })
        #expect(refusal(list, "other.example.com:443")?.message.hasSuffix("h7.example.com:443 and 12 more") == true)
    }

    // MARK: addresses

    private func address(_ bytes: [UInt8]) -> NetworkAddress { NetworkAddress(bytes: bytes) }
    private let global = NetworkAddress(bytes: [93, 184, 215, 14])

    private func verdict(_ rule: EgressRule, _ addresses: [NetworkAddress]) throws -> EgressRefusal? {
        let host = try HostName("api.example.com")
        do throws(EgressRefusal) {
            #expect(try rule.checked(addresses, of: host) == addresses)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        arguments: [
            [127, 0, 0, 1], [169, 254, 169, 254], [168, 63, 129, 16], [100, 64, 0, 1], [10, 0, 0, 1], [0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 169, 254, 169, 254],  // IPv4-mapped
            [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, 169, 254, 169, 254],  // NAT64
            [0, 0x64, 0xFF, 0x9B, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1],  // local NAT64
            [0x20, 0x02, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],  // 6to4
            [0x20, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0xFF, 0xFF, 0xFE],  // Teredo
            [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],  // ULA
            [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],  // link-local
        ] as [[UInt8]])
    func oneInnerAddressAmongPublicOnesRefusesTheName(inner: [UInt8]) throws {
        let rule = try EgressRule("api.example.com:443")
        #expect(try verdict(rule, [global]) == nil)
        let expected: EgressRefusal.Rule = inner == [127, 0, 0, 1] ? .loopback : .address
        #expect(try verdict(rule, [address(inner)])?.rule == expected)
        #expect(try verdict(rule, [global, address(inner)])?.rule == expected)
        #expect(try verdict(rule, [address(inner), global])?.rule == expected)
    }

    @Test func withTheWeakeningNothingButLoopbackIsReached() throws {
        let rule = try EgressRule("api.example.com:443", weakening: .loopbackOnly)
        #expect(try verdict(rule, [address([127, 0, 0, 1])]) == nil)
        #expect(try verdict(rule, [global])?.rule == .address)
        #expect(try verdict(rule, [address([10, 0, 0, 1])])?.rule == .address)
        #expect(try verdict(rule, [address([127, 0, 0, 1]), global])?.rule == .address)
    }

    @Test func nameWithoutAddressIsUnreachableAndMayBeTriedAgain() throws {
        let refusal = try verdict(try EgressRule("api.example.com:443"), [])
        #expect(refusal?.message == "api.example.com has no address; check the name and the host's DNS")
        #expect(refusal?.isRetryable == true)
    }
}
