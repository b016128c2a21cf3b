import PluginABI
import Testing

@Suite struct OriginTests {
    @Test func oneOriginHasOneSpelling() throws {
        #expect(try #require(Origin("https://api.example.com:443")).description == "https://api.example.com")
        #expect(try #require(Origin("https://api.example.com:8443")).description == "https://api.example.com:8443")
        #expect(Origin("https://api.example.com:443") == Origin("https://api.example.com"))
        #expect(Origin("https://api.example.com") != Origin("https://api.example.com:444"))
    }

    @Test func addressLiteralsAreNoDNSNames() throws {
        #expect(try #require(Origin("https://127.0.0.1:8443")).isDNSName == false)
        #expect(try #require(Origin("https://localhost")).isDNSName == false)
        #expect(try #require(Origin("https://1.2.3.0x4")).isDNSName == false)
        #expect(try #require(Origin("https://xn--bcher-kva.example")).isDNSName)
    }

    @Test func longNamesAreRefused() {
        let label = String(repeating: "a", count: 63)
        #expect(Origin("https://\(label).com") != nil)
        #expect(Origin("https://\(label)a.com") == nil)
        #expect(Origin("https://\([label, label, label, label].joined(separator: "."))") == nil)
    }
}
