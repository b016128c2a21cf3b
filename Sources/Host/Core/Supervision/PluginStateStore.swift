internal import GRDB

/// What the host knows of a plugin's state, and keeps over its own end.
public struct PluginState: Sendable, Equatable {
    public enum Name: String, Sendable, CaseIterable {
        case running
        case stopped
        /// The last instance ended badly; the next call, or the host after a wait, starts another.
        case failed
        /// It failed too often; an admin has to start it.
        case parked
    }
    public var name: Name
    /// An admin started it and has not stopped it since: the host starts it when it starts itself, and again after a
    /// failure. Stopped for lack of use, it waits for its next call as any other.
    public var isWanted: Bool
    /// Why it is in this state, where there is a reason.
    public var cause: String?
    /// Unix milliseconds.
    public var since: UInt64
    /// Failures in a row.
    public var failures: Int

    public init(_ name: Name, isWanted: Bool = false, cause: String? = nil, since: UInt64, failures: Int = 0) {
        (self.name, self.isWanted, self.cause, self.since, self.failures) = (name, isWanted, cause, since, failures)
    }
}

/// Keeps states in the database; they go with their plugin.
struct PluginStateStore: Sendable {
    let database: Database

    func all() throws(HostError) -> [String: PluginState] {
        let rows = try database.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM plugin_state").map { row in
                (
                    row["plugin"] as String,
                    PluginState(
                        PluginState.Name(rawValue: row["state"]) ?? .stopped, isWanted: row["wanted"],
                        cause: row["cause"], since: UInt64(clamping: row["since"] as Int64), failures: row["failures"])
                )
            }
        }
        return Dictionary(rows) { $1 }
    }

    /// A plugin that is not installed (any more) has no state to keep.
    func set(_ state: PluginState, of plugin: String) throws(HostError) {
        try database.write { database in
            try database.execute(
                sql: """
                    INSERT INTO plugin_state (plugin, state, wanted, cause, since, failures)
                    SELECT name, ?2, ?3, ?4, ?5, ?6 FROM plugin WHERE name = ?1
                    ON CONFLICT (plugin) DO UPDATE SET state = excluded.state, wanted = excluded.wanted,
                        cause = excluded.cause, since = excluded.since, failures = excluded.failures
                    """,
                arguments: [
                    plugin, state.name.rawValue, state.isWanted, state.cause, Int64(clamping: state.since),
                    state.failures,
                ])
        }
    }
}
