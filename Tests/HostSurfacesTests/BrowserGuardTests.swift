import Testing

@testable import HostSurfaces

@Suite struct BrowserGuardTests {
    private let guardian = BrowserGuard(port: 8_765)

    @Test(arguments: ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
    func ownNamesPass(host: String) {
        #expect(guardian.refusal(host: host, origin: nil) == nil)
        #expect(guardian.refusal(host: host, origin: "http://\(host)") == nil)
    }

    @Test(arguments: [
        "evil.example", "evil.example:8765", "127.0.0.1", "localhost", "127.0.0.1:80", "127.0.0.1:87650",
        "localhost.:8765",
        "localhost.evil.example:8765", "127.0.0.1.nip.io:8765", "127.0.0.2:8765", "0.0.0.0:8765", "2130706433:8765",
        "0x7f.1:8765", "127.1:8765", "::1:8765", "[::ffff:127.0.0.1]:8765", "", " 127.0.0.1:8765", "127.0.0.1:8765 ",
        "user@127.0.0.1:8765", "127.0.0.1:8765,evil", "１27.0.0.1:8765", "loca\u{301}lhost:8765",
    ])
    func dnsRebindingHostIsRefused(host: String) {
        #expect(
            guardian.refusal(host: host, origin: nil)
                == "the Host header \"\(host)\" is not this server's; use 127.0.0.1:8765")
    }

    @Test func absentHostIsRefused() {
        #expect(
            guardian.refusal(host: nil, origin: nil) == "the Host header \"\" is not this server's; use 127.0.0.1:8765")
    }

    @Test(arguments: [
        "null", "", "https://evil.example", "http://evil.example:8765", "https://127.0.0.1:8765", "http://127.0.0.1",
        "http://127.0.0.1:80", "http://127.0.0.1:8765/", "http://localhost:8765.evil.example", "file://",
        "127.0.0.1:8765",
        "http://127.0.0.1:8765, http://evil.example", "http://user@127.0.0.1:8765", "chrome-extension://abc",
    ])
    func foreignOriginIsRefused(origin: String) {
        #expect(
            guardian.refusal(host: "127.0.0.1:8765", origin: origin)
                == "requests from the web origin \"\(origin)\" are not accepted")
    }
}
