import Foundation
import PluginABI
import Synchronization
import Testing

@testable import HostCore

@Suite struct SecretStoreChangesTests {
    let vault: Vault
    let store: SecretStore
    private let address = Vault.address()

    init() throws {
        vault = try Vault()
        store = try vault.start()
    }

    @Test func theNewestVersionsAreKeptAndOneComesBackAsANewOne() throws {
        for number in 1...12 { try store.put("value \(number)") }
        #expect(try store.versions(of: address).map(\.version) == Array((3...12).reversed()))
        #expect(try store.rollBack(address, to: 5) == 13)
        #expect(try store.text() == "value 5")
        #expect(try vault.start().text() == "value 5")
        #expect(
            refusal { () throws(HostError) in try store.rollBack(address, to: 2) }?.message
                == "the secret key of alice for bot has no version 2 (kept: 13, 12, 11, 10, 9, 8, 7, 6, 5, 4)")
    }

    @Test func expiredSecretIsAsIfMissingAndSaysSo() throws {
        try store.put("value", expires: 1_000_100)
        #expect(try store.text() == "value")
        vault.clock.withLock { $0 = 1_000_100 }
        let error = refusal { () throws(HostError) in try store.text() }
        #expect(error?.code == .credentialMissing)
        #expect(
            error?.message == "the secret key of alice for bot expired on 1970-01-12T13:48:20Z; set it again with: "
                + "nexus secret set bot key --user alice")
        #expect(try store.list().map(\.expires) == [1_000_100])
        let back = refusal { () throws(HostError) in try store.rollBack(address, to: 1) }
        #expect(back?.message.hasPrefix("version 1 of the secret key of alice for bot expired on") == true)
        let past = refusal { () throws(HostError) in try store.put("value", expires: 1_000_100) }
        #expect(past?.message == "key would expire on 1970-01-12T13:48:20Z, which has passed")
        try store.put("fresh")
        #expect(try store.text() == "fresh")
    }

    /// An expiry that someone lengthened in the database is part of what the record is bound to.
    @Test func expiryCannotBeMovedInTheDatabase() throws {
        try store.put("value", expires: 1_000_100)
        for expires in ["NULL", "2000000"] {
            try vault.tamper("UPDATE secret_version SET expires = \(expires)")
            #expect(try vault.refusal()?.code == .secretUnreadable)
        }
    }

    @Test func usesAreWrittenTogetherAndListed() throws {
        try store.put("value")
        #expect(try store.list().map(\.used) == [nil])
        _ = try store.text()
        vault.clock.withLock { $0 += 5 }
        _ = try store.text()
        #expect(try store.list().map(\.used) == [1_000_005])
    }

    @Test func aPluginsSecretsGoTogetherAndOthersStay() throws {
        try store.put("value")
        try store.put("value", Vault.address(owner: "bob"))
        try store.put("other", Vault.address(plugin: "other"))
        try store.removeAll(of: "bot")
        #expect(try store.list().map(\.address.plugin) == ["other"])
        #expect(try vault.start().text(Vault.address(plugin: "other")) == "other")
        #expect(try vault.start().text() == nil)
    }

    @Test func everyChangeIsAnIntentAndItsEndInTheLog() throws {
        try store.put("value")
        _ = try store.remove(address)
        #expect(try store.remove(address) == false)
        #expect(try vault.events() == ["intent", "done", "intent", "done", "intent", "done"])
        let log = try vault.folder.bytes("\(vault.folder.home.audit)/log.jsonl")
        #expect(log.contains(#""change":"set","scope":"user","user":"alice","plugin":"bot","name":"key","version":1"#))
    }

    @Test func changeThatTheDatabaseRefusesIsGivenUpInTheLogAndTheNextOneWorks() throws {
        try store.put("value")
        try vault.tamper("CREATE TRIGGER no BEFORE INSERT ON secret_version BEGIN SELECT RAISE(ABORT, 'no'); END")
        #expect(refusal { () throws(HostError) in try store.put("second") }?.code == .storageFailed)
        #expect(try vault.events().suffix(2) == ["intent", "abandoned"])
        #expect(try store.text() == "value")
        #expect(try vault.start().text() == "value")
        try vault.tamper("DROP TRIGGER no")
        try store.put("third")
        #expect(try store.text() == "third")
        #expect(try vault.start().text() == "third")
    }
}
