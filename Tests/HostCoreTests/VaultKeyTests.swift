import Crypto
import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct VaultKeyTests {
    private let key = VaultKey(.random(), salt: [1, 2, 3])
    private let address = SecretAddress(scope: .user, owner: "alice", plugin: "bot", name: "key")

    /// The three cases of RFC 5869, appendix A, with SHA-256.
    @Test func knownAnswersOfTheDerivationHold() throws {
        var cases: [[String: String]] = []
        for line in try KnownAnswers.text("KDF/rfc-5869-HKDF-SHA256.txt").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if line.hasPrefix("COUNT") { cases.append([:]) }
            if !cases.isEmpty { cases[cases.count - 1][parts[0]] = parts.count == 2 ? parts[1] : "" }
        }
        #expect(cases.count == 3)
        for known in cases {
            let bytes = { (name: String) in Hex.bytes(known[name] ?? "") ?? [] }
            let derived = VaultKey.derive(
                SymmetricKey(data: bytes("IKM")), salt: bytes("salt"), info: bytes("info"),
                count: try #require(known["L"].flatMap { Int($0) }))
            #expect(derived.withUnsafeBytes { Array($0) } == bytes("OKM") && !bytes("OKM").isEmpty)
        }
    }

    @Test func everyVersionHasADataKeyOfItsOwn() throws {
        let value = SecretBytes(copying: Array("value".utf8))
        let one = try key.seal(value, at: address, version: 1, created: 7, expires: nil)
        let two = try key.seal(value, at: address, version: 1, created: 7, expires: nil)
        #expect(one.wrapped.count == 12 + 32 + 16)
        var mixed = one
        mixed.wrapped = two.wrapped
        #expect(throws: (any Error).self) { try key.open(mixed, at: address) }
    }

    /// Scope × user × plugin: no two have the same wrapping key.
    @Test func wrappingKeysDifferByPluginScopeAndOwner() {
        var seen: Set<[UInt8]> = []
        var count = 0
        for scope in [Permissions.CredentialUse.Scope.user, .global] {
            for owner in ["a", "ab"] where scope == .user || owner == "a" {
                for plugin in ["bc", "c"] {
                    let place = SecretAddress(scope: scope, owner: owner, plugin: plugin, name: "n")
                    seen.insert(key.wrappingKey(place).withUnsafeBytes { Array($0) })
                    count += 1
                }
            }
        }
        #expect(seen.count == count)
        let other = VaultKey(key.master, salt: [1, 2, 4])
        #expect(other.wrappingKey(address) != key.wrappingKey(address))
    }

    @Test func rewrappedRecordOpensUnderTheOtherKeyOnlyAndItsValueIsNotTouched() throws {
        let next = VaultKey(.random(), salt: [4])
        let old = try key.seal(SecretBytes(copying: [7]), at: address, version: 3, created: 7, expires: 9)
        let new = try key.rewrap(old, at: address, under: next)
        #expect(new.sealed == old.sealed && new.mark == old.mark && new.master == next.id)
        #expect(try next.open(new, at: address).withBytes { Array($0) } == [7])
        #expect(throws: (any Error).self) { try key.open(new, at: address) }
        #expect(throws: (any Error).self) { try next.open(old, at: address) }
    }

    @Test func codeOfASetTellsEpochCountAndEveryMarkApart() {
        var set = SecretSet()
        let empty = key.code(epoch: 1, of: set)
        set.put(SecretMark(version: 1, digest: [1]), at: address, key: key)
        let one = key.code(epoch: 1, of: set)
        set.put(SecretMark(version: 2, digest: [1]), at: address, key: key)
        let two = key.code(epoch: 1, of: set)
        #expect(Set([empty, one, two, key.code(epoch: 2, of: set)]).count == 4)
        set.put(SecretMark(version: 1, digest: [1]), at: address, key: key)
        #expect(key.code(epoch: 1, of: set) == one)
        set.put(nil, at: address, key: key)
        #expect(key.code(epoch: 1, of: set) == empty)
    }
}
