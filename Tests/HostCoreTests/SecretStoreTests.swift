import Crypto
import Foundation
import GRDB
import PluginABI
import Testing

@testable import HostCore

@Suite struct SecretStoreTests {
    let folder: TestHome
    let database: HostCore.Database
    let store: SecretStore
    private let address = SecretAddress(scope: .user, owner: "alice", plugin: "bot", name: "key")

    init() throws {
        folder = try TestHome()
        database = try folder.database()
        store = SecretStore(database: database, key: MasterKey(key: SymmetricKey(size: .bits256)))
    }

    private func set(_ address: SecretAddress, _ text: String) throws {
        try store.set(address, SecretBytes(copying: Array(text.utf8)))
    }
    private func value(_ address: SecretAddress, _ store: SecretStore? = nil) throws -> String? {
        try (store ?? self.store).open(address).map { $0.withBytes { String(decoding: $0, as: UTF8.self) } }
    }
    private func stored(_ column: String) throws -> Data {
        try #require(try database.read { try Data.fetchOne($0, sql: "SELECT \(column) FROM secret_version") })
    }
    private func replace(_ column: String, _ bytes: Data) throws {
        try database.write { try $0.execute(sql: "UPDATE secret_version SET \(column) = ?", arguments: [bytes]) }
    }

    @Test func aSecretComesBackAsItWasAndTheNewestWins() throws {
        #expect(try value(address) == nil)
        try set(address, "first")
        try set(address, "second")
        #expect(try value(address) == "second")
        #expect(try store.list().map(\.version) == [2])
        #expect(try store.list().map(\.address) == [address])
        #expect(try store.remove(address))
        #expect(try store.remove(address) == false)
        #expect(try value(address) == nil)
    }

    @Test func everyLengthUpToTheLimitComesBackAndNoOther() throws {
        for count in [1, 2, 15, 16, 17, HostLimits.secretBytes] {
            try store.set(address, SecretBytes(copying: [UInt8](repeating: 0xA5, count: count)))
            #expect(try store.open(address)?.count == count)
        }
        for count in [0, HostLimits.secretBytes + 1] {
            let error = refusal { () throws(HostError) in
                try store.set(address, SecretBytes(copying: [UInt8](repeating: 1, count: count)))
            }
            #expect(error?.message == "a secret has 1 to 16384 bytes; key has \(count)")
        }
    }

    @Test(arguments: ["wrapped", "sealed"])
    func everyFlippedBitOfARecordIsFoundAndNamed(column: String) throws {
        try set(address, "a secret value")
        let good = try stored(column)
        for bit in 0..<good.count * 8 {
            var bad = good
            bad[bit / 8] ^= 1 << (bit % 8)
            try replace(column, bad)
            let error = refusal { () throws(HostError) in try store.open(address) }
            #expect(error?.code == .secretUnreadable, "bit \(bit)")
            #expect(
                error?.message == "the secret key of alice for bot cannot be opened: it was changed, or the master key "
                    + "is another; set it again with `nexus secret set`")
        }
        for length in 0..<good.count {
            try replace(column, good.prefix(length))
            #expect(refusal { () throws(HostError) in try store.open(address) }?.code == .secretUnreadable)
        }
        try replace(column, good)
        #expect(try value(address) == "a secret value")
    }

    /// A host that has just started knows no record yet: the cipher alone has to find it.
    @Test(arguments: ["wrapped", "sealed"])
    func everyFlippedBitIsFoundByTheCipherToo(column: String) throws {
        let key = VaultKey(.random(), salt: [1, 2, 3])
        let good = try key.seal(
            SecretBytes(copying: Array("a secret value".utf8)), at: address, version: 1, created: 7, expires: 9)
        #expect(try key.open(good, at: address).count == 14)
        let count = column == "wrapped" ? good.wrapped.count : good.sealed.count
        for bit in 0..<count * 8 {
            var bad = good
            if column == "wrapped" {
                bad.wrapped[bit / 8] ^= 1 << (bit % 8)
            } else {
                bad.sealed[bit / 8] ^= 1 << (bit % 8)
            }
            #expect(throws: (any Error).self, "bit \(bit)") { try key.open(bad, at: address) }
        }
    }

    @Test func recordMovedToAnyOtherAddressVersionOrExpiryIsRefused() throws {
        let key = VaultKey(.random(), salt: [1, 2, 3])
        let record = try key.seal(SecretBytes(copying: [1]), at: address, version: 1, created: 7, expires: 9)
        for place in [
            SecretAddress(scope: .global, owner: "", plugin: "bot", name: "key"),
            SecretAddress(scope: .user, owner: "mallory", plugin: "bot", name: "key"),
            SecretAddress(scope: .user, owner: "alice", plugin: "evil", name: "key"),
            SecretAddress(scope: .user, owner: "alice", plugin: "bot", name: "other"),
        ] {
            #expect(throws: (any Error).self, "\(place)") { try key.open(record, at: place) }
        }
        for (version, expires) in [(2, 9), (0, 9), (1, 10), (1, nil)] as [(Int, Int?)] {
            var other = record
            (other.version, other.expires) = (version, expires)
            #expect(throws: (any Error).self) { try key.open(other, at: address) }
        }
        var (swapped, plain) = (record, record)
        swapped.wrapped = record.sealed
        plain.sealed = record.wrapped
        #expect(throws: (any Error).self) { try key.open(swapped, at: address) }
        #expect(throws: (any Error).self) { try key.open(plain, at: address) }
    }

    /// Scope × user × plugin × key, whole rows swapped under a running host.
    @Test func recordsSwappedBetweenEveryPairOfAddressesAreRefused() throws {
        var all: [SecretAddress] = []
        for scope in [Permissions.CredentialUse.Scope.user, .global] {
            for owner in ["a", "ab"] where scope == .user || owner == "a" {
                for plugin in ["bc", "c"] {
                    for name in ["d", "cd"] {
                        all.append(SecretAddress(scope: scope, owner: owner, plugin: plugin, name: name))
                    }
                }
            }
        }
        for address in all { try set(address, "value of \(address)") }
        let place = "WHERE scope = ? AND owner = ? AND plugin = ? AND name = ?"
        let good = try all.map { address in
            try #require(try database.read { try SecretTable.current($0, address)?.record })
        }
        func replace(_ record: SecretRecord, at address: SecretAddress) throws {
            try database.write {
                try $0.execute(
                    sql: "UPDATE secret_version SET sealed = ?, wrapped = ? \(place)",
                    arguments: [
                        record.sealed.blob, record.wrapped.blob, address.scope.rawValue, address.owner, address.plugin,
                        address.name,
                    ])
            }
        }
        for (target, address) in all.enumerated() {
            for (source, sealed) in good.enumerated() {
                try replace(sealed, at: address)
                if source == target {
                    #expect(try value(address) == "value of \(address)")
                } else {
                    #expect(refusal { () throws(HostError) in try store.open(address) }?.code == .secretUnreadable)
                }
            }
            try replace(good[target], at: address)
        }
    }

    @Test func anotherMasterKeyOpensNothing() throws {
        try set(address, "value")
        let other = SecretStore(database: database, key: MasterKey(key: SymmetricKey(size: .bits256)))
        #expect(refusal { () throws(HostError) in try other.open(address) }?.code == .secretUnreadable)
        #expect(try value(address) == "value")
    }

    @Test func nobodyReadsTheSecretOfAnother() throws {
        let users = ["alice", "bob", "team/alice", "team/bob", "Alice", "alice "]
        for user in users {
            try set(SecretAddress(scope: .user, owner: user, plugin: "bot", name: "key"), "of \(user)")
        }
        try set(SecretAddress(scope: .global, owner: "alice", plugin: "bot", name: "key"), "of everyone")
        for user in users {
            #expect(try value(SecretAddress(scope: .user, owner: user, plugin: "bot", name: "key")) == "of \(user)")
        }
        for stranger in ["", "team", "team/", "alic", "alicee", "ALICE", "alice%", "a_ice", "' OR 1=1 --"] {
            #expect(try value(SecretAddress(scope: .user, owner: stranger, plugin: "bot", name: "key")) == nil)
        }
        #expect(try value(SecretAddress(scope: .global, owner: "bob", plugin: "bot", name: "key")) == "of everyone")
    }

    @Test func noFileOfTheDatabaseHoldsAValueInTheClear() throws {
        let canary = "CANARY-5f1d-plain-value"
        for round in 0..<20 { try set(address, "\(canary)-\(round)") }
        _ = try value(address)
        let bytes = try folder.databaseBytes()
        #expect(bytes.contains("alice"))
        #expect(!bytes.contains(canary))
        #expect(!bytes.contains(Data(canary.utf8).base64EncodedString().prefix(20).description))
        #expect(!bytes.contains(Hex.text(canary.utf8)))
    }

    @Test func fingerprintsAreStableKeyedAndDiffer() {
        let key = SymmetricKey(size: .bits256)
        let here = SecretStore(database: database, key: MasterKey(key: key))
        let value = SecretBytes(copying: Array("value".utf8))
        #expect(here.fingerprint(value) == SecretStore(database: database, key: MasterKey(key: key)).fingerprint(value))
        #expect(here.fingerprint(value) != store.fingerprint(value))
        #expect(here.fingerprint(value) != here.fingerprint(SecretBytes(copying: Array("valuf".utf8))))
        #expect(here.fingerprint(value).count == 16)
    }

    @Test func versionAtTheEndOfItsRangeIsAnErrorAndNoCrash() throws {
        try set(address, "value")
        try database.write { try $0.execute(sql: "UPDATE secret_version SET version = 9223372036854775807") }
        #expect(
            refusal { () throws(HostError) in try store.set(address, SecretBytes(copying: [1])) }?.code
                == .storageFailed)
    }
}
