import Testing

@testable import HostSurfaces

@Suite struct FormSiteTests {
    private let site = FormSite.loopback(port: 8_765)

    @Test(arguments: ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
    func ownNamesAreServed(host: String) { #expect(site.serves(host)) }

    @Test(arguments: [
        nil, "", "evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "localhost.:8765",
        "127.0.0.1.nip.io:8765", "127.0.0.1:8765 ", "127.0.0.1:8765,evil", "user@127.0.0.1:8765",
    ])
    func namesThatOthersPointHereAreNot(host: String?) { #expect(!site.serves(host)) }

    /// Every Origin that matters beside every Sec-Fetch-Site.
    @Test func aPostIsOwnOnlyWhereTheBrowserSaysSo() {
        let origins = [nil, "null", "http://127.0.0.1:8765", "https://127.0.0.1:8765", "http://evil.example"]
        let fetches = [nil, "same-origin", "same-site", "cross-site", "none", ""]
        for origin in origins {
            for fetch in fetches {
                let isOwn = origin == "http://127.0.0.1:8765" && (fetch == nil || fetch == "same-origin")
                let isSilent = origin == "null" && fetch == "same-origin"
                #expect(
                    site.isOwn(origin: origin, fetchSite: fetch) == (isOwn || isSilent),
                    "\(origin ?? "") \(fetch ?? "")")
            }
        }
    }

    @Test func theListenerWithACertificateHasItsNamesOnly() {
        let site = FormSite.secure(names: ["nexus.example.org"], port: 8_443)
        #expect(site.serves("Nexus.example.org:8443") && !site.serves("nexus.example.org"))
        #expect(!site.serves("127.0.0.1:8443") && site.isSecure)
        #expect(site.isOwn(origin: "https://nexus.example.org:8443", fetchSite: nil))
        #expect(!site.isOwn(origin: "http://nexus.example.org:8443", fetchSite: nil))
        #expect(FormSite.secure(names: ["a.b"], port: 443).serves("a.b"))
    }
}
