import Crypto
import Foundation
import GRDB
import PluginABI
import Registry
import Testing

@testable import HostCore

@Suite struct MigrationsTests {
    let folder: TestHome
    init() throws { folder = try TestHome() }

    /// Rows as a host of each version wrote them.
    private static func fill(_ database: GRDB.Database, upTo version: String) throws {
        let known = Migrations.names.prefix(through: try #require(Migrations.names.firstIndex(of: version)))
        for name in known {
            switch name {
            case "1-plugins":
                try database.execute(
                    sql: """
                        INSERT INTO plugin (name, manifest, digest, installed)
                        VALUES ('sample', ?, 'd1', '2026-01-01')
                        """,
                    arguments: [Data(SamplePlugin.manifest())])
                try database.execute(sql: "INSERT INTO tool (name, plugin) VALUES ('sample_echo', 'sample')")
            case "2-identity":
                let hash = Hex.bytes("28975b9c624c351a637361881c5657a46ad4dee34b3e46f85ef232dd2d02ce40").map {
                    Data($0)
                }
                try database.execute(
                    sql:
                        "INSERT INTO token (id, hash, user, may_act_for, created) VALUES ('t1', ?, 'agent', 'team', 7)",
                    arguments: [hash])
            case "3-secrets":
                // Made by another implementation: key 00…1f, nonce 00…0b, the address below, version 1.
                let sealed = Hex.bytes(
                    "000102030405060708090a0b2622a07aa990a73beb33f8e6919f1d"
                        + "1ff0bfe85ad048928838d4bd88edd712530496d5da3780"
                )
                try database.execute(
                    sql: """
                        INSERT INTO \(known.contains("12-vault") ? "secret_format_1" : "secret")
                            (scope, owner, plugin, name, version, sealed, created)
                        VALUES ('user', 'alice', 'crypto-bot', 'api_key', 1, ?, 7)
                        """, arguments: [sealed.map { Data($0) }])
            case "4-endpoints":
                try database.execute(
                    sql: """
                        INSERT INTO endpoint (plugin, name, origin, authority, loopback)
                        VALUES ('sample', 'exchange', 'https://127.0.0.1:8443', 'PEM', 1)
                        """)
            case "5-values":
                try database.execute(sql: "INSERT INTO value (plugin, key, bytes) VALUES ('sample', x'6B', x'76')")
            case "6-value-sums":
                try database.execute(
                    sql: """
                        INSERT INTO value_sum (plugin, bytes) VALUES ('sample', 66)
                        ON CONFLICT (plugin) DO UPDATE SET bytes = 66
                        """)
            case "7-previous-versions":
                try database.execute(
                    sql: """
                        INSERT INTO previous_version (plugin, manifest, digest, installed)
                        VALUES ('sample', ?, 'd0', '2025-01-01')
                        """,
                    arguments: [Data(SamplePlugin.manifest())])
            case "8-incidents":
                try database.execute(
                    sql: """
                        INSERT INTO incident (time, plugin, version, instance, code, cause, remains)
                        VALUES (7, 'sample', '1.0.0', 'sample#1', 'plugin-failed', 'c', CAST('{"signal":9}' AS BLOB))
                        """)
            case "9-plugin-states":
                try database.execute(
                    sql: "INSERT INTO plugin_state VALUES ('sample', 'parked', 1, 'it fell', 7, 5)")
            default: try fillLater(database, name)
            }
        }
    }

    private static func fillLater(_ database: GRDB.Database, _ name: String) throws {
        switch name {
        case "10-token-uses":
            try database.execute(
                sql:
                    "INSERT INTO token (id, hash, user, created, use) VALUES ('t2', x'00', 'grafana', 8, 'metrics')"
            )
        case "11-probations":
            try database.execute(sql: "UPDATE previous_version SET since = 7, milliseconds = 60000")
        case "12-vault":
            // The record of version 3 waits in `secret_format_1`; the host itself seals it anew.
            try #require(try Int.fetchOne(database, sql: "SELECT count(*) FROM secret_format_1") == 1)
        case "14-plugin-choices":
            try database.execute(
                sql: """
                    INSERT INTO revoked_credential VALUES ('sample', 'key');
                    UPDATE plugin SET weakening_shared_users = 1;
                    """)
        default: Issue.record("no rows for \(name): add some")
        }
    }

    /// What must still be there after the migration, by the host's own reading.
    private func check(_ version: String, _ database: HostCore.Database) throws {
        let reached = try #require(Migrations.names.firstIndex(of: version))
        let plugin = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store)).plugin(
            "sample")
        #expect(plugin.digest == "d1" && plugin.installed == "2026-01-01")
        #expect(plugin.manifest.tools.map(\.name) == ["sample_echo"])
        if reached >= 1 {
            let token = try TokenStore(database: database).find("nxt_from-an-earlier-version")
            #expect(token == Token(id: "t1", user: "agent", mayActFor: "team", created: 7, expires: nil, revoked: nil))
        }
        if reached >= 2 {
            let store = SecretStore(database: database, key: MasterKey(key: SymmetricKey(data: Array(0..<32))))
            let address = SecretAddress(scope: .user, owner: "alice", plugin: "crypto-bot", name: "api_key")
            #expect(try store.open(address)?.withBytes { Array($0) } == Array("a value from version 3".utf8))
        }
        if reached >= 3 {
            let override = try #require(plugin.endpoints["exchange"])
            #expect(override.origin.description == "https://127.0.0.1:8443")
            #expect(override.authority == "PEM" && override.weakeningLoopback)
        }
        if reached >= 4 {
            let values = KeyValueStore(database: database)
            #expect(try values.get("k", of: "sample") == Array("v".utf8))
            // It counts 66 bytes: one of a key, one of a value, and what a key counts itself.
            #expect(try !values.put("k", Array("vv".utf8), of: "sample", quota: 66))
            #expect(try values.put("k", Array("vv".utf8), of: "sample", quota: 67))
            #expect(try values.put("k", Array("v".utf8), of: "sample", quota: 66))
        }
        // Nothing is left of a probation whose end nobody wrote down.
        let kept = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store)).kept()
        #expect(kept.allSatisfy { $0.milliseconds == 0 })
    }

    private func checkSupervision(_ version: String, _ database: HostCore.Database) throws {
        let reached = try #require(Migrations.names.firstIndex(of: version))
        if reached >= (Migrations.names.firstIndex(of: "8-incidents") ?? .max) {
            let incident = try #require(try IncidentStore(database: database).list(of: "sample", limit: 9).first)
            #expect(incident.time == 7 && incident.remains.signal == 9 && incident.instance == "sample#1")
        }
        if reached >= (Migrations.names.firstIndex(of: "9-plugin-states") ?? .max) {
            let states = try PluginStateStore(database: database).all()
            #expect(
                states == ["sample": PluginState(.parked, isWanted: true, cause: "it fell", since: 7, failures: 5)])
        }
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
        let decided = reached >= (Migrations.names.firstIndex(of: "14-plugin-choices") ?? .max)
        let choices = PluginChoices(revoked: decided ? ["key"] : [], weakeningSharedUsers: decided)
        #expect(try catalog.plugin("sample").choices == choices)
    }

    @Test(arguments: Migrations.names)
    func whatAnEarlierVersionWroteIsReadAfterTheMigration(version: String) throws {
        do {
            let queue = try DatabaseQueue(path: folder.home.database)
            try Migrations.all.migrate(queue, upTo: version)
            try queue.write { try Self.fill($0, upTo: version) }
            try queue.close()
        }
        let database = try folder.database()
        try check(version, database)
        try check(version, folder.database())
        try checkSupervision(version, database)
    }

    @Test func theNamesAreThoseOfTheMigratorInItsOrder() {
        #expect(Migrations.all.migrations == Migrations.names)
    }

    @Test func aFileOfANewerVersionIsRefusedAndStaysAsItIs() throws {
        do {
            let queue = try DatabaseQueue(path: folder.home.database)
            try Migrations.all.migrate(queue)
            try queue.write { database in
                try Self.fill(database, upTo: try #require(Migrations.names.last))
                try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99-from-the-future')")
            }
            try queue.close()
        }
        let error = refusal { () throws(HostError) in try HostCore.Database(path: folder.home.database) }
        #expect(error?.code == .storageFailed)
        #expect(
            error?.message
                == "\(folder.home.database) was written by a newer Nexus; install that version or restore a backup")
        let queue = try DatabaseQueue(path: folder.home.database)
        #expect(try queue.read { try String.fetchAll($0, sql: "SELECT name FROM plugin") } == ["sample"])
    }
}
