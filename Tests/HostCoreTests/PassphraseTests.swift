import Crypto
import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct PassphraseTests {
    private let folder: TestHome
    init() throws { folder = try TestHome() }

    private func load(_ text: String) throws(HostError) -> LoadedMasterKey {
        try LoadedMasterKey.load(.passphrase(SecretBytes(copying: Array(text.utf8))), home: folder.home)
    }

    /// Made by Python's hashlib.scrypt(b"correct horse battery", salt=bytes(range(16)), n=16384, r=8, p=1,
    /// maxmem=1<<26, dklen=32).
    @Test func aForeignScryptGivesTheSameKey() throws {
        let parameters = try PassphraseParameters(
            "scrypt 16384 8 1 000102030405060708090a0b0c0d0e0f\n", from: "file")
        let key = try parameters.masterKey(SecretBytes(copying: Array("correct horse battery".utf8)))
        #expect(key.text == Array("e96ec6ba8c63a23698220f37c7fc042925d430c7feadec9ceb04af03cabb9f2f\n".utf8))
    }

    @Test func aPassphraseGivesTheSameKeyAtEachStartAndAnotherGivesAnother() throws {
        let first = try load("correct horse battery")
        #expect(try load("correct horse battery").key.id == first.key.id)
        #expect(try load("correct horse batterz").key.id != first.key.id)
        #expect(try folder.mode(folder.home.passphraseParameters) == 0o600)
        let text = String(decoding: try folder.bytes(folder.home.passphraseParameters), as: UTF8.self)
        #expect(text.hasPrefix("scrypt 131072 8 1 ") && text.utf8.count == 18 + 32 + 1)
    }

    @Test(arguments: [
        "", "scrypt", "scrypt 1 8 1 00112233445566778899aabbccddeeff", "scrypt 131072 8 1 0011",
        "scrypt 131073 8 1 00112233445566778899aabbccddeeff", "scrypt 131072 9 1 00112233445566778899aabbccddeeff",
        "scrypt 131072 8 99 00112233445566778899aabbccddeeff", "argon2 131072 8 1 00112233445566778899aabbccddeeff",
        "scrypt 1073741824 8 1 00112233445566778899aabbccddeeff",
    ])
    func parametersThatAreWeakOrBrokenAreRefused(text: String) throws {
        let error = refusal { () throws(HostError) in try PassphraseParameters(text, from: "file") }
        #expect(error?.message == "file does not say how the passphrase becomes a key; restore it from a backup")
    }

    @Test func shortPassphraseIsRefused() throws {
        let error = refusal { () throws(HostError) in try load("elevenbytes") }
        #expect(error?.message == "a passphrase has 12 bytes or more; choose a longer one")
    }
}
