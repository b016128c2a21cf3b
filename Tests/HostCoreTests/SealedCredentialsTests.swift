import PluginABI
import Testing

@testable import HostCore

@Suite struct SealedCredentialsTests {
    private let credential = Credential(name: "key", value: SecretBytes(copying: Array("a-sealed-value".utf8)))

    @Test func aCallWithoutOneHasNothing() {
        #expect(SealedCredentials([]) == nil)
    }

    @Test func nothingIsLeftAfterTheCall() throws {
        let sealed = try #require(SealedCredentials([credential]))
        #expect(sealed["key"]?.count == 14 && sealed["other"] == nil)
        #expect(sealed.redactor.redact("a-sealed-value") == "[redacted]")
        sealed.drop()
        #expect(sealed["key"] == nil)
        #expect(sealed.redactor.redact("a-sealed-value") == "[redacted]", "what comes late is still recognised")
    }

    @Test func theLastReferenceGoesWithIt() throws {
        weak var value: SecretBytes?
        let sealed: SealedCredentials
        do {
            let bytes = SecretBytes(copying: Array("a-sealed-value".utf8))
            value = bytes
            sealed = try #require(SealedCredentials([Credential(name: "key", value: bytes)]))
        }
        #expect(value != nil)
        sealed.drop()
        #expect(value == nil, "somebody else keeps the value")
    }
}
