import Crypto
import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct SealedBytesTests {
    private let key = SymmetricKey(size: .bits256)

    private func seal(_ text: String, nonce: [UInt8]? = nil, bound: [UInt8] = []) throws -> SealedBytes {
        try Array(text.utf8).withUnsafeBytes { try SealedBytes.seal($0, key: key, nonce: nonce, bound: bound) }
    }

    /// NIST's CAVP, of which a nonce from 96 bits and a tag of 128 can be expressed: 750 in each file.
    @Test func knownAnswersOfSealingHold() throws {
        let cases = try KnownAnswers.gcm("gcmEncryptExtIV256.rsp")
        #expect(cases.count == 750)
        for known in cases {
            let sealed = try known.bytes("PT").withUnsafeBytes {
                try SealedBytes.seal(
                    $0, key: SymmetricKey(data: known.bytes("Key")), nonce: known.bytes("IV"), bound: known.bytes("AAD")
                )
            }
            #expect(sealed.ciphertext == known.bytes("CT") && sealed.tag == known.bytes("Tag"), "\(known.fields)")
        }
    }

    @Test func knownAnswersOfOpeningHoldAndForgeriesAreRefused() throws {
        let cases = try KnownAnswers.gcm("gcmDecrypt256.rsp")
        #expect(cases.count == 750)
        var refused = 0
        for known in cases {
            let sealed = SealedBytes(
                nonce: known.bytes("IV"), ciphertext: known.bytes("CT"), tag: known.bytes("Tag"))
            let opened = try? sealed.open(key: SymmetricKey(data: known.bytes("Key")), bound: known.bytes("AAD"))
            #expect((opened == nil) == known.mustFail, "\(known.fields)")
            if let opened { #expect(opened.withBytes { Array($0) } == known.bytes("PT")) }
            if opened == nil { refused += 1 }
        }
        #expect(refused > 0 && refused < cases.count)
    }

    @Test func shorterNoncesTagsAndKeysAreRefused() throws {
        for count in 0..<12 {
            #expect(throws: (any Error).self, "nonce of \(count)") {
                try seal("value", nonce: [UInt8](repeating: 1, count: count))
            }
        }
        let good = try seal("value")
        for count in 0..<16 {
            let short = SealedBytes(nonce: good.nonce, ciphertext: good.ciphertext, tag: Array(good.tag.prefix(count)))
            #expect(throws: (any Error).self, "tag of \(count)") { try short.open(key: key, bound: []) }
        }
        for bits in [128, 192] {
            #expect(throws: (any Error).self) {
                try [UInt8](repeating: 1, count: 4).withUnsafeBytes {
                    try SealedBytes.seal($0, key: SymmetricKey(size: .init(bitCount: bits)), bound: [])
                }
            }
        }
        #expect(try good.open(key: key, bound: []).count == 5)
    }

    @Test func storedBytesAreNonceCiphertextTagAndComeBack() throws {
        let sealed = try seal("value", bound: [1])
        #expect(sealed.stored.count == 12 + 5 + 16 && SealedBytes(stored: sealed.stored) == sealed)
        #expect(SealedBytes(stored: [UInt8](repeating: 0, count: 27)) == nil)
        #expect(try seal("value", bound: [1]).nonce != sealed.nonce)
        #expect(throws: (any Error).self) { try sealed.open(key: key, bound: [2]) }
    }
}
