import Testing

@testable import PluginSDK

@Suite struct CredentialValueTests {
    @Test func renderingsShowNothing() {
        let secret = CredentialValue(copying: "s3cret".utf8)
        #expect(secret.description == "‹secret›")
        let box = CredentialBox(SecretBytes(copying: "s3cret".utf8))
        var shown = ""
        dump(box, to: &shown)
        shown += "\(box) \(String(reflecting: box))"
        #expect(!shown.contains("s3cret"))
        #expect(!shown.contains("115"))
    }

    @Test func wipedCredentialLendsNothing() {
        let box = CredentialBox(SecretBytes(copying: [1, 2, 3]))
        let value = CredentialValue(box)
        #expect(value.withBytes { Array($0) } == [1, 2, 3])
        box.wipe()
        #expect(value.withBytes { Array($0) } == [])
        #expect(value.count == 0)
    }
}
