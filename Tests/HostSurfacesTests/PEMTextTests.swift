import PluginABI
import Testing

@testable import HostSurfaces

@Suite struct PEMTextTests {
    private func restored(_ text: String) -> String {
        PEMText.restored(SecretBytes(copying: Array(text.utf8))).withBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aKeyOnOneLineGetsItsLinesBack() {
        let body = String(repeating: "QUJD", count: 40)
        let line = "-----BEGIN PRIVATE KEY-----\(body)-----END PRIVATE KEY-----"
        let text =
            "-----BEGIN PRIVATE KEY-----\n\(body.prefix(64))\n\(body.dropFirst(64).prefix(64))\n"
            + "\(body.dropFirst(128))\n-----END PRIVATE KEY-----\n"
        #expect(restored(line) == text)
        #expect(restored(line.replacing("KEY-----\(body)", with: "KEY----- \(body) ") + " ") == text)
    }

    @Test(arguments: [
        "", "hunter2", "-----BEGIN ", "-----BEGIN KEY-----", "-----BEGIN KEY-----QUJD-----END OTHER-----",
        "-----BEGIN KEY----------END KEY-----", "-----BEGIN KEY-----not base64!-----END KEY-----",
        "-----BEGIN KEY-----\nQUJD\n-----END KEY-----\n", "-----BEGIN KEY-----QUJD-----END KEY-----and more",
    ])
    func anythingElseStaysAsItCame(text: String) {
        #expect(restored(text) == text)
    }
}
