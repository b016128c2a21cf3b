public import GRDB

/// The schema's history. A migration that was released is never edited; a change is a new one at the end.
public enum Migrations {
    /// Names, oldest first. Tests migrate from each of them.
    public static let names = [
        "1-plugins", "2-identity", "3-secrets", "4-endpoints", "5-values", "6-value-sums", "7-previous-versions",
        "8-incidents", "9-plugin-states", "10-token-uses", "11-probations", "12-vault", "14-plugin-choices",
    ]

    public static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-plugins") { database in
            try database.execute(
                sql: """
                    CREATE TABLE plugin (
                        name TEXT PRIMARY KEY, manifest BLOB NOT NULL, digest TEXT NOT NULL, installed TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE tool (
                        name TEXT PRIMARY KEY, plugin TEXT NOT NULL REFERENCES plugin (name) ON DELETE CASCADE
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("2-identity") { database in
            try database.execute(
                sql: """
                    CREATE TABLE token (
                        id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, user TEXT NOT NULL, may_act_for TEXT,
                        created INTEGER NOT NULL, expires INTEGER, revoked INTEGER
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("3-secrets") { database in
            try database.execute(
                sql: """
                    CREATE TABLE secret (
                        scope TEXT NOT NULL, owner TEXT NOT NULL, plugin TEXT NOT NULL, name TEXT NOT NULL,
                        version INTEGER NOT NULL, sealed BLOB NOT NULL, created INTEGER NOT NULL,
                        PRIMARY KEY (scope, owner, plugin, name)
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("4-endpoints") { database in
            try database.execute(
                sql: """
                    CREATE TABLE endpoint (
                        plugin TEXT NOT NULL REFERENCES plugin (name) ON DELETE CASCADE, name TEXT NOT NULL,
                        origin TEXT NOT NULL, authority TEXT, loopback INTEGER NOT NULL,
                        PRIMARY KEY (plugin, name)
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("5-values") { database in
            try database.execute(
                sql: """
                    CREATE TABLE value (
                        plugin TEXT NOT NULL REFERENCES plugin (name) ON DELETE CASCADE, key BLOB NOT NULL,
                        bytes BLOB NOT NULL, PRIMARY KEY (plugin, key)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("6-value-sums") { database in
            // 64 is what a key counted when this was written.
            try database.execute(
                sql: """
                    CREATE TABLE value_sum (
                        plugin TEXT PRIMARY KEY REFERENCES plugin (name) ON DELETE CASCADE, bytes INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    INSERT INTO value_sum
                        SELECT plugin, sum(length(key) + length(bytes) + 64) FROM value GROUP BY plugin;
                    """)
        }
        registerSinceUpgrades(&migrator)
        return migrator
    }

    private static func registerSinceUpgrades(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("7-previous-versions") { database in
            try database.execute(
                sql: """
                    CREATE TABLE previous_version (
                        plugin TEXT PRIMARY KEY REFERENCES plugin (name) ON DELETE CASCADE, manifest BLOB NOT NULL,
                        digest TEXT NOT NULL, installed TEXT NOT NULL
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("8-incidents") { database in
            try database.execute(
                sql: """
                    CREATE TABLE incident (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,
                        plugin TEXT REFERENCES plugin (name) ON DELETE CASCADE, version TEXT, instance TEXT,
                        code TEXT NOT NULL, cause TEXT NOT NULL, remains BLOB NOT NULL
                    ) STRICT;
                    CREATE INDEX incident_plugin ON incident (plugin, id);
                    """)
        }
        migrator.registerMigration("9-plugin-states") { database in
            try database.execute(
                sql: """
                    CREATE TABLE plugin_state (
                        plugin TEXT PRIMARY KEY REFERENCES plugin (name) ON DELETE CASCADE, state TEXT NOT NULL,
                        wanted INTEGER NOT NULL, cause TEXT, since INTEGER NOT NULL, failures INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("10-token-uses") { database in
            try database.execute(sql: "ALTER TABLE token ADD COLUMN use TEXT NOT NULL DEFAULT 'tools'")
        }
        migrator.registerMigration("11-probations") { database in
            // Of a version that is kept from before, the probation is over.
            try database.execute(
                sql: """
                    ALTER TABLE previous_version ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE previous_version ADD COLUMN milliseconds INTEGER NOT NULL DEFAULT 0;
                    """)
        }
        registerVault(&migrator)
        registerSinceVault(&migrator)
    }

    private static func registerSinceVault(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("14-plugin-choices") { database in
            try database.execute(
                sql: """
                    CREATE TABLE revoked_credential (
                        plugin TEXT NOT NULL REFERENCES plugin (name) ON DELETE CASCADE, name TEXT NOT NULL,
                        PRIMARY KEY (plugin, name)
                    ) STRICT, WITHOUT ROWID;
                    ALTER TABLE plugin ADD COLUMN weakening_shared_users INTEGER NOT NULL DEFAULT 0;
                    """)
        }
    }

    /// Records of the old format wait in `secret_format_1` for the master key: `SecretStore` seals them anew.
    private static func registerVault(_ migrator: inout DatabaseMigrator) {
        let place = "scope TEXT NOT NULL, owner TEXT NOT NULL, plugin TEXT NOT NULL, name TEXT NOT NULL"
        migrator.registerMigration("12-vault") { database in
            try database.execute(
                sql: """
                    ALTER TABLE secret RENAME TO secret_format_1;
                    CREATE TABLE secret (
                        \(place), version INTEGER NOT NULL, used INTEGER, PRIMARY KEY (scope, owner, plugin, name)
                    ) STRICT;
                    CREATE TABLE secret_version (
                        \(place), version INTEGER NOT NULL, master TEXT NOT NULL, wrapped BLOB NOT NULL,
                        sealed BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER,
                        PRIMARY KEY (scope, owner, plugin, name, version)
                    ) STRICT;
                    CREATE TABLE vault (
                        id INTEGER PRIMARY KEY CHECK (id = 1), master TEXT NOT NULL, salt BLOB NOT NULL,
                        epoch INTEGER NOT NULL, code BLOB NOT NULL, scrub INTEGER NOT NULL
                    ) STRICT;
                    """)
        }
    }
}
