import AuditLog
import Crypto
import Foundation
import GRDB
import PluginABI
import Synchronization
import Testing

@testable import HostCore

/// What a host that starts finds out about a database that was changed while it was down, and what it forgives.
@Suite struct SecretStoreStartTests {
    let vault: Vault
    init() throws { vault = try Vault() }

    private func refusal(_ vault: Vault? = nil) throws -> String {
        let store = try (vault ?? self.vault).start()
        let words = try #require(try store.check())
        let error = HostCoreTests.refusal { () throws(HostError) in try store.text() }
        #expect(error?.code == .secretUnreadable && error?.message == words)
        #expect(HostCoreTests.refusal { () throws(HostError) in try store.put("x") }?.message == words)
        return words
    }

    @Test func olderCopyOfTheDatabaseIsFoundAndItsRecordsAreNamed() throws {
        do {
            let store = try vault.start()
            try store.put("old")
            try store.put("kept", Vault.address("other"))
        }
        let old = try vault.copy()
        try vault.start().put("new")
        try vault.restoreDatabase(of: old)
        #expect(
            try refusal() == "no secret is opened: nexus.sqlite was changed or is an older copy. The secrets in it "
                + "are those of epoch 3, and the audit log is at 4. the secret key of alice for bot is at version 1 "
                + "instead of 2. Restore the database that belongs to the audit log, or run `nexus secret accept` "
                + "to keep what is there")
    }

    @Test(arguments: [
        (
            "DELETE FROM secret WHERE name = 'key'; DELETE FROM secret_version WHERE name = 'key'",
            ", version 2, is missing"
        ),
        ("DELETE FROM secret WHERE name = 'key'", ", version 2, is missing"),
        ("UPDATE secret SET version = 1 WHERE name = 'key'", " is at version 1 instead of 2"),
        (
            """
            UPDATE secret_version SET sealed = (SELECT sealed FROM secret_version WHERE name = 'two')
            WHERE version = 2
            """,
            ", version 2, is not the record that was stored"
        ),
        ("UPDATE vault SET epoch = epoch - 1", ""),
        ("UPDATE vault SET code = zeroblob(32)", ""),
    ])
    func rowsChangedWhileTheHostIsDownAreFound(sql: String, words: String) throws {
        do {
            let store = try vault.start()
            try store.put("one")
            try store.put("two")
            try store.put("another", Vault.address("two"))
        }
        try vault.tamper(sql)
        let found = try refusal()
        #expect(
            found.contains(words.isEmpty ? "no secret is opened" : "the secret key of alice for bot\(words)"),
            "\(found)")
    }

    @Test func swappedAndAddedRowsAreFound() throws {
        do {
            let store = try vault.start()
            try store.put("one")
            try store.put("two", Vault.address("two"))
        }
        let columns = "scope, owner, plugin"
        try vault.tamper(
            """
            INSERT INTO secret SELECT \(columns), 'three', version, used FROM secret WHERE name = 'two';
            INSERT INTO secret_version SELECT \(columns), 'three', version, master, wrapped, sealed, created, expires
                FROM secret_version WHERE name = 'two';
            """)
        #expect(try refusal().contains("the secret three of alice for bot was added"))
    }

    @Test func databaseWithoutItsVaultIsNotANewOne() throws {
        try vault.start().put("one")
        try vault.tamper("DELETE FROM vault")
        #expect(try refusal().contains("have no epoch, and the audit log is at 2"))
    }

    @Test func rowsChangedUnderARunningHostAreFoundWhenTheyAreWanted() throws {
        let store = try vault.start()
        try store.put("one")
        try store.put("two")
        for sql in [
            "UPDATE secret SET version = 1", "DELETE FROM secret_version WHERE version = 2", "DELETE FROM secret",
        ] {
            try vault.tamper(sql)
            let error = HostCoreTests.refusal { () throws(HostError) in try store.text() }
            #expect(error?.message.hasPrefix("the secret key of alice for bot cannot be opened") == true, "\(sql)")
        }
    }

    @Test func whatAnAdminAcceptsCountsFromThenOn() throws {
        try vault.start().put("old")
        let old = try vault.copy()
        try vault.start().put("new")
        try vault.restoreDatabase(of: old)
        let store = try vault.start()
        try #require(try store.check() != nil)
        try store.accept()
        #expect(try store.text() == "old")
        #expect(try vault.start().check() == nil)
        #expect(try vault.start().text() == "old")
        // What was accepted away does not come back by itself.
        try vault.restoreDatabase(of: old)
        #expect(try vault.start().check() != nil)
    }

    // MARK: crashes

    /// Between intent and commit: the log is ahead by one epoch that never came.
    @Test func crashBeforeTheCommitLocksNobodyOut() throws {
        try vault.start().put("old")
        let before = try vault.copy()
        try vault.start().put("new")
        // The log up to the intent, the database before it.
        let log = "\(vault.folder.home.audit)/log.jsonl"
        let lines = String(decoding: try vault.folder.bytes(log), as: UTF8.self).split(separator: "\n")
        try vault.folder.write(lines.dropLast().joined(separator: "\n") + "\n", to: log)
        let afterCommit = try vault.copy()
        try vault.restoreDatabase(of: before)
        #expect(try vault.start().text() == "old")
        #expect(try vault.events().last == "abandoned")
        try vault.start().put("again")
        #expect(try vault.start().text() == "again")
        // The same crash after the commit.
        #expect(try afterCommit.start().text() == "new")
        #expect(try afterCommit.events().last == "done")
        #expect(try afterCommit.start().check() == nil)
        // Settled: the older database is refused now.
        try afterCommit.restoreDatabase(of: before)
        #expect(try afterCommit.start().check() != nil)
    }

    /// A power cut takes the end of the log, which is not synced, and leaves the database, which is.
    @Test func logThatLostItsEndIsForgivenAndTheLossIsRecorded() throws {
        let store = try vault.start()
        try store.put("one")
        try store.put("two")
        let log = "\(vault.folder.home.audit)/log.jsonl"
        let lines = String(decoding: try vault.folder.bytes(log), as: UTF8.self).split(separator: "\n")
        try vault.folder.write(lines.dropLast(3).joined(separator: "\n") + "\n", to: log)
        #expect(try vault.start().text() == "two")
        #expect(try vault.events().suffix(4) == ["recovered", "records", "intent", "done"])
        #expect(try vault.start().check() == nil)
    }

    // MARK: keys and formats

    @Test func anotherMasterKeyIsNamedAndChangesNothing() throws {
        try vault.start().put("one")
        let key = try vault.folder.bytes(vault.folder.home.masterKey)
        unlink(vault.folder.home.masterKey)
        let error = try vault.refusal()
        #expect(error?.message.contains("; restore the one that belongs to this database") == true)
        try vault.folder.write(String(decoding: key, as: UTF8.self), to: vault.folder.home.masterKey)
        #expect(try vault.start().text() == "one")
    }

    /// Records of the format before this one, sealed under the master key itself.
    private func fillFormatOne(_ names: [String]) throws {
        let key = try LoadedMasterKey.load(.file, home: vault.folder.home).key
        let database = try vault.folder.database()
        for name in names {
            let address = Vault.address(name)
            let sealed = try Array("old \(name)".utf8).withUnsafeBytes {
                try SealedBytes.seal($0, key: key.key, bound: address.associatedData(version: 4))
            }
            try database.write {
                try $0.execute(
                    sql: "INSERT INTO secret_format_1 VALUES ('user', 'alice', 'bot', ?, 4, ?, 7)",
                    arguments: [name, sealed.stored.blob])
            }
        }
    }

    @Test func recordsOfTheOldFormatAreSealedAnewOnceAndLeaveNoTrace() throws {
        try fillFormatOne(["key", "broken"])
        try vault.tamper("UPDATE secret_format_1 SET sealed = zeroblob(40) WHERE name = 'broken'")
        let old = try #require(
            try vault.folder.database().read {
                try Data.fetchOne($0, sql: "SELECT sealed FROM secret_format_1 WHERE name = 'key'")
            })
        #expect(try vault.start().text() == "old key")
        let store = try vault.start()
        #expect(try store.text() == "old key")
        #expect(try store.list().map(\.version) == [4, 4])
        let error = HostCoreTests.refusal { () throws(HostError) in try store.text(Vault.address("broken")) }
        #expect(error?.message.hasPrefix("the secret broken of alice for bot cannot be opened") == true)
        #expect(Data(try vault.folder.databaseBytes()).range(of: old) == nil)
        // A record that is put there afterwards is nobody's.
        try fillFormatOne(["late"])
        #expect(try vault.start().text(Vault.address("late")) == nil)
    }

    @Test func recordsOfTheOldFormatStayWhereTheKeyIsAnother() throws {
        try fillFormatOne(["key"])
        let key = try vault.folder.bytes(vault.folder.home.masterKey)
        unlink(vault.folder.home.masterKey)
        let error = try vault.refusal()
        #expect(
            error?.message == "no stored secret opens under this master key; restore the key that belongs to this "
                + "database")
        try vault.folder.write(String(decoding: key, as: UTF8.self), to: vault.folder.home.masterKey)
        #expect(try vault.start().text() == "old key")
    }
}
