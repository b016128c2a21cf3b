import Testing

@testable import Egress

@Suite struct HostNameTests {
    private func refusal(_ text: String) -> EgressRefusal? {
        do throws(EgressRefusal) {
            _ = try HostName(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("api.example.com", "api.example.com"), ("API.Example.COM", "api.example.com"),
        ("api.example.com.", "api.example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1.", "192.0.2.1"), ("[2001:DB8::1]", "2001:db8::1"),
        ("[::ffff:192.0.2.1]", "::ffff:192.0.2.1"), ("localhost", "localhost"), ("1e100.net", "1e100.net"),
        ("a1.b2c3", "a1.b2c3"),
    ])
    func everyHostHasOneSpelling(text: String, canonical: String) throws {
        #expect(try HostName(text).text == canonical)
    }

    @Test func trailingDotAndCaseAreTheSameHost() throws {
        #expect(try HostName("API.EXAMPLE.COM.") == HostName("api.example.com"))
    }

    @Test(arguments: ["allowed.com\0", "evil.com\0.allowed.com", "\0", "evil.com%00.allowed.com"])
    func hostNameWithNULIsRefused(text: String) {
        #expect(refusal(text)?.rule == .name)
    }

    @Test(arguments: [
        "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0", "0177.0.0.1", "017700000001",
        "127.0.0.01", "127.0.0.256", "1.2.3.4.5", "127.0.0.0x1", "0x", "0X7F000001", "00.0.0.0", "1.1.1", "4294967295",
        "a.0x7f", "example.1",
    ])
    func octalHexShortAndIntegerAddressesAreRefused(text: String) {
        #expect(refusal(text)?.message.contains("ends in a number") == true)
    }

    @Test(arguments: [
        "[allowed.com]", "[127.0.0.1]", "[", "]", "[]", "[::1", "::1]", "::1", "2001:db8::1", "[::1]evil.com",
        "[fe80::1%eth0]", "[fe80::1%25eth0]", "[[::1]]", "[::1].", "[::1\0]", "[ ::1]", "a:b",
    ])
    func bracketsHoldAnIPv6AddressAndNothingElse(text: String) {
        #expect(refusal(text)?.rule == .name)
    }

    @Test(arguments: [
        "", ".", "..", "a..b", ".a", "a..", "-a.com", "a-.com", "user@a.com", "a.com@b.com", "a.com/", "a.com#",
        "a_b.com",
        "a com", "a.com\r\nHost: b", "a.com\t", "a%2ecom", "*.com", "a\\b", "a.com:443", "a\u{7F}.com",
        String(repeating: "a", count: 64) + ".com", String(repeating: "a.", count: 127) + "com",
    ])
    func whatIsNoHostNameIsRefused(text: String) {
        #expect(refusal(text)?.rule == .name)
    }

    @Test(arguments: [
        "bücher.example", "ｅxample.com", "example。com", "exam\u{AD}ple.com", "\u{202E}moc.elpmaxe", "еxample.com",
        "example.com\u{301}", "①.com",
    ])
    func internationalNamesAreTakenAsPunycodeOnly(text: String) {
        #expect(refusal(text)?.message.contains("xn--") == true)
    }

    @Test func literalsNeedNoResolver() throws {
        #expect(try HostName("192.0.2.1").literal == NetworkAddress(bytes: [192, 0, 2, 1]))
        #expect(try HostName("[::1]").literal?.verdict == .loopback)
        #expect(try HostName("[::1]").inAuthority == "[::1]")
        #expect(try HostName("example.com").literal == nil)
    }

    @Test func refusalShowsNothingThatCouldRepaintATerminal() {
        let message = refusal("\u{1B}[2Ja\"b" + String(repeating: "x", count: 10_000))?.message ?? ""
        #expect(message.utf8.count < 400)
        #expect(!message.unicodeScalars.contains { $0.value < 0x20 })
    }
}
