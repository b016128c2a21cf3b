internal import GRDB
internal import PluginABI

/// What an admin decides about an installed plugin's credentials and users.
extension PluginCatalog {
    /// Takes a declared credential from a plugin, or grants it again. Installing a plugin grants all that it declares.
    ///
    /// - Returns: whether that is a change.
    /// - Throws: `invalidRequest` if the plugin declares no such credential, `unknownPlugin`.
    @discardableResult
    public func setCredential(_ credential: String, of name: String, granted: Bool) throws(HostError) -> Bool {
        let declared = try plugin(name).manifest.permissions.credentials.map(\.name)
        guard declared.contains(credential) else {
            throw HostError(
                .invalidRequest,
                "\(name) declares no credential \"\(credential.cut(to: 80))\" "
                    + "(declared: \(declared.isEmpty ? "none" : declared.joined(separator: ", ")))")
        }
        let changed = try database.write { database in
            try database.execute(
                sql: granted
                    ? "DELETE FROM revoked_credential WHERE plugin = ? AND name = ?"
                    : "INSERT OR IGNORE INTO revoked_credential (plugin, name) VALUES (?, ?)",
                arguments: [name, credential])
            return database.changesCount > 0
        }
        try reload()
        return changed
    }

    /// Lets one process of a plugin hold the credentials of several users, or not.
    ///
    /// - Returns: whether that is a change.
    @discardableResult
    public func setSharing(of name: String, weakeningSharedUsers: Bool) throws(HostError) -> Bool {
        guard try plugin(name).choices.weakeningSharedUsers != weakeningSharedUsers else { return false }
        try database.write { database in
            try database.execute(
                sql: "UPDATE plugin SET weakening_shared_users = ? WHERE name = ?",
                arguments: [weakeningSharedUsers, name])
        }
        try reload()
        return true
    }

    func choices(of name: String) throws(HostError) -> PluginChoices {
        try database.read { database in
            PluginChoices(
                revoked: try Set(
                    String.fetchAll(
                        database, sql: "SELECT name FROM revoked_credential WHERE plugin = ?", arguments: [name])),
                weakeningSharedUsers: try Bool.fetchOne(
                    database, sql: "SELECT weakening_shared_users FROM plugin WHERE name = ?", arguments: [name])
                    ?? false)
        }
    }
}
