internal import AuditLog
internal import GRDB
internal import Synchronization
internal import JSONBytes
public import PluginABI

extension SecretStore {
    /// Seals a value as the next version of its secret.
    ///
    /// - Parameter expires: Unix seconds from which on the secret is as if missing; nil for never.
    /// - Throws: `invalidRequest` for an empty or too long value, or an expiry that has passed.
    public func set(_ address: SecretAddress, _ value: SecretBytes, expires: Int? = nil) throws(HostError) {
        guard (1...HostLimits.secretBytes).contains(value.count) else {
            throw HostError(
                .invalidRequest, "a secret has 1 to \(HostLimits.secretBytes) bytes; \(address.name) has \(value.count)"
            )
        }
        if let expires, expires <= now() {
            throw HostError(
                .invalidRequest, "\(address.name) would expire on \(UTCTime.text(expires)), which has passed")
        }
        try changing.withLock { _ throws(HostError) in try seal(value, at: address, expires: expires) }
    }

    /// With `changing` held.
    private func seal(_ value: SecretBytes, at address: SecretAddress, expires: Int?) throws(HostError) {
        let known = try usable()
        let newest = try database.read { try SecretTable.versions($0, of: address).first?.version }
        let (version, overflow) = max(newest ?? 0, known.set.marks[address]?.version ?? 0).addingReportingOverflow(1)
        guard !overflow else {
            throw HostError(.storageFailed, "the version of \(address.name) was changed: remove it and set it again")
        }
        let record: SecretRecord
        do {
            record = try known.key.seal(value, at: address, version: version, created: now(), expires: expires)
        } catch {
            throw HostError(.storageFailed, "\(address.words) could not be sealed: \(error)")
        }
        var set = known.set
        set.put(record.mark, at: address, key: known.key)
        try commit(.set(address, record.mark), set: set, known) { try SecretTable.put($0, record, at: address) }
    }

    /// - Returns: whether there was one.
    public func remove(_ address: SecretAddress) throws(HostError) -> Bool {
        try changing.withLock { _ throws(HostError) in
            let known = try usable()
            guard known.set.marks[address] != nil else { return false }
            var set = known.set
            set.put(nil, at: address, key: known.key)
            try commit(.removed(address), set: set, known) { try SecretTable.remove($0, address) }
            return true
        }
    }

    /// Removes all secrets of a plugin. Before the plugin goes: whoever comes back under its name is somebody else.
    public func removeAll(of plugin: String) throws(HostError) {
        try changing.withLock { _ throws(HostError) in
            let known = try usable()
            let addresses = known.set.marks.keys.filter { $0.plugin == plugin }
            guard !addresses.isEmpty else { return }
            var set = known.set
            for address in addresses { set.put(nil, at: address, key: known.key) }
            try commit(.pluginRemoved(plugin), set: set, known) { database in
                for address in addresses { try SecretTable.remove(database, address) }
            }
        }
    }

    /// Makes the value of an older version the current one again, as a new version.
    ///
    /// - Returns: the new version's number.
    /// - Throws: `invalidRequest` for a version that is not kept or has expired.
    public func rollBack(_ address: SecretAddress, to version: Int) throws(HostError) -> Int {
        try changing.withLock { _ throws(HostError) in
            let known = try usable()
            let versions = try database.read { try SecretTable.versions($0, of: address) }
            guard let record = versions.first(where: { $0.version == version }) else {
                let kept = versions.map { String($0.version) }.joined(separator: ", ")
                throw HostError(
                    .invalidRequest,
                    "\(address.words) has no version \(version) (kept: \(kept.isEmpty ? "none" : kept))")
            }
            if let expires = record.expires, expires <= now() {
                throw HostError(
                    .invalidRequest,
                    "version \(version) of \(address.words) expired on \(UTCTime.text(expires)); "
                        + "set the value again with `nexus secret set`")
            }
            guard let value = try? known.key.open(record, at: address) else {
                throw HostError(
                    .secretUnreadable, "version \(version) of \(address.words) cannot be opened: it was changed")
            }
            try seal(value, at: address, expires: record.expires)
            return try current().set.marks[address]?.version ?? version
        }
    }

    // MARK: epochs

    /// What is known, for a change to start from.
    ///
    /// - Throws: `secretUnreadable` while the set is not what the log says: a change would cover that up.
    func usable() throws(HostError) -> State {
        let known = try load()
        if let refusal = known.refusal { throw HostError(.secretUnreadable, refusal) }
        return known
    }

    /// One change: intent to the log, commit to the disk, done to the log. With `changing` held.
    func commit(
        _ change: VaultChange, set: SecretSet, _ known: State, key newKey: VaultKey? = nil,
        _ body: @Sendable (GRDB.Database) throws -> Void
    ) throws(HostError) {
        let key = newKey ?? known.key
        let epoch = known.newestEpoch + 1
        let vault = SecretTable.Vault(
            master: key.id, salt: key.salt, epoch: epoch, code: key.code(epoch: epoch, of: set),
            needsScrub: newKey != nil)
        try recordIntent(change, epoch, code: Hex.text(vault.code))
        state.withLock { $0?.newestEpoch = epoch }
        do throws(HostError) {
            try database.writeDurably { database in
                try body(database)
                try SecretTable.put(database, vault)
            }
        } catch {
            // An error of the disk says too little: the database knows whether it has the change.
            guard (try? database.read { try SecretTable.vault($0) }) == vault else {
                try? record("abandoned", epoch, [])
                throw error
            }
        }
        state.withLock { state in
            state?.set = set
            state?.epoch = epoch
            state?.refusal = nil
            if newKey != nil {
                state?.other = known.key
                state?.key = key
            }
        }
        // The change is made. Without this entry the next start finds an open intent, and the set that it names.
        try? record("done", epoch, [])
    }

    func recordIntent(_ change: VaultChange, _ epoch: Int, code: String) throws(HostError) {
        for part in change.records { try record("records", epoch, part) }
        try record("intent", epoch, [("set", .string(code))] + change.members)
    }

    func record(_ event: String, _ epoch: Int, _ members: [(key: String, value: JSONValue)]) throws(HostError) {
        do {
            try audit?.append(
                [("kind", "vault"), ("event", .string(event)), ("epoch", JSONValue(epoch))]
                    + members.map { ($0.key, $0.value) })
        } catch {
            throw HostError(.auditFailed, error.message)
        }
    }
}
