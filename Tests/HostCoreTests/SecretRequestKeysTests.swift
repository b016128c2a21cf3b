import Testing

@testable import HostCore

@Suite struct SecretRequestKeysTests {
    private let keys = SecretRequestKeys()

    @Test func tokensHave256BitsAndDoNotRepeat() {
        let tokens = Set((0..<1_000).map { _ in SecretRequestKeys.random() })
        #expect(tokens.count == 1_000 && tokens.allSatisfy { $0.utf8.count == 64 && Hex.bytes($0) != nil })
    }

    @Test func theMarkBelongsToOneCookieOneTokenAndOneProcess() {
        let mark = keys.csrf(cookie: "c", token: "t")
        #expect(keys.isCSRF(mark, cookie: "c", token: "t"))
        #expect(!keys.isCSRF(mark, cookie: "d", token: "t") && !keys.isCSRF(mark, cookie: "c", token: "u"))
        #expect(!keys.isCSRF(mark, cookie: "ct", token: "") && !keys.isCSRF("", cookie: "c", token: "t"))
        #expect(!SecretRequestKeys().isCSRF(mark, cookie: "c", token: "t"))
    }

    @Test func stateComesBackUnchangedOrNotAtAll() throws {
        let state = try #require(keys.seal("the form", for: ["alice", "tool"]))
        #expect(keys.open(state, for: ["alice", "tool"]) == "the form")
        #expect(!state.contains("form"))
        #expect(keys.open(state, for: ["bob", "tool"]) == nil && keys.open(state, for: ["alicetool"]) == nil)
        #expect(
            keys.open(state, for: ["alic", "etool"]) == nil && SecretRequestKeys().open(state, for: ["alice"]) == nil)
        for index in state.indices {
            var changed = state
            changed.replaceSubrange(index...index, with: state[index] == "A" ? "B" : "A")
            // The last sign of base64 may hold bits that say nothing.
            let opened = keys.open(changed, for: ["alice", "tool"])
            #expect(opened == nil || opened == "the form")
            if index < state.index(state.endIndex, offsetBy: -4) { #expect(opened == nil) }
        }
        #expect(keys.open("", for: []) == nil && keys.open("%%%", for: []) == nil)
    }

    @Test func codesAreReadAsPeopleWriteThem() {
        let codes = (0..<500).map { _ in PairingCode.make() }
        #expect(Set(codes).count > 490)
        #expect(codes.allSatisfy { $0.utf8.count == 7 && PairingCode.normal($0).utf8.count == 6 })
        for typed in ["1K0-9QX", "1k09qx", " lKO 9qX", "i-k-o-9-q-x"] {
            #expect(PairingCode.hash(typed) == PairingCode.hash("1K0-9QX"), "\(typed)")
        }
        #expect(
            PairingCode.hash("1K09QY") != PairingCode.hash("1K0-9QX") && PairingCode.hash("") != PairingCode.hash("0"))
    }
}
