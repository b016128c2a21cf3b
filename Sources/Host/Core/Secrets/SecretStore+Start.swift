internal import AuditLog
internal import Crypto
internal import GRDB
internal import Synchronization
internal import JSONBytes
internal import PluginABI

extension SecretStore {
    /// What is known of the database; read and checked at the first use.
    func current() throws(HostError) -> State {
        if let known = state.withLock({ $0 }) { return known }
        return try changing.withLock { _ throws(HostError) in try load() }
    }

    /// Reads and checks the store, as the first use does.
    ///
    /// - Returns: why nothing is opened, in words that name the records; nil if all is well.
    public func check() throws(HostError) -> String? { try current().refusal }

    /// With `changing` held.
    func load() throws(HostError) -> State {
        if let known = state.withLock({ $0 }) { return known }
        let journal = try readJournal()
        guard let vault = try database.read({ try SecretTable.vault($0) }) else { return try begin(journal) }
        let key = VaultKey(try master(vault.master), salt: vault.salt)
        let rows = try database.read { try SecretTable.all($0) }
        let set = Self.set(rows, key: key)
        var known = State(
            key: key, other: nil, set: set, epoch: vault.epoch,
            newestEpoch: max(vault.epoch, journal?.newestEpoch ?? 0))
        known.refusal = try compare(known, vault, rows: rows, journal)
        state.withLock { $0 = known }
        if known.refusal == nil { try finishRotation(vault, under: key) }
        return known
    }

    private func readJournal() throws(HostError) -> VaultJournal? {
        guard let audit else { return nil }
        do {
            return VaultJournal(entries: try audit.tail(.max))
        } catch {
            throw HostError(.auditFailed, error.message)
        }
    }

    /// The master key that the database is under: the loaded one, or the one that a rotation staged.
    private func master(_ id: String) throws(HostError) -> MasterKey {
        guard let key = [loaded.key, loaded.next].compactMap({ $0 }).first(where: { $0.id == id }) else {
            throw HostError(
                .secretUnreadable,
                "the secrets are sealed under the master key \(id), and the key given is \(loaded.key.id); "
                    + "restore the one that belongs to this database")
        }
        return key
    }

    private static func set(_ rows: [SecretTable.Current], key: VaultKey) -> SecretSet {
        var set = SecretSet()
        for row in rows {
            set.put(row.record?.mark ?? SecretMark(version: row.version, digest: []), at: row.address, key: key)
        }
        return set
    }

    // MARK: the check

    /// Holds the database to its own code, and its epoch to the log's.
    private func compare(
        _ known: State, _ vault: SecretTable.Vault, rows: [SecretTable.Current], _ journal: VaultJournal?
    ) throws(HostError) -> String? {
        let isWhole = known.key.code(epoch: vault.epoch, of: known.set) == vault.code
        let code = Hex.text(vault.code)
        let matches = { (intent: VaultJournal.Intent) in intent.epoch == vault.epoch && intent.code == code }
        guard let journal else {
            return isWhole ? nil : refusal("are not those of epoch \(vault.epoch)", rows, known, VaultJournal())
        }
        var settled = journal
        if isWhole, vault.epoch > journal.newestEpoch {
            // The log lost its end: a power cut can do that. The database is whole, and newer than what is left.
            try record("recovered", vault.epoch, [("log", JSONValue(journal.newestEpoch))])
            try recordIntent(.adopted(known.set.marks), vault.epoch, code: code)
            try record("done", vault.epoch, [])
            return nil
        }
        if isWhole, let open = journal.open.last(where: matches) {
            try record("done", open.epoch, [])
            settled.settle(open.epoch)
        } else if !isWhole || journal.settled.map(matches) != true {
            if let newest = journal.open.last { settled.settle(newest.epoch) }
            let what = isWhole ? "are those of epoch \(vault.epoch)" : "are not those of epoch \(vault.epoch)"
            return refusal("\(what), and the audit log is at \(journal.newestEpoch)", rows, known, settled)
        }
        for intent in settled.open { try record("abandoned", intent.epoch, []) }
        return nil
    }

    private func refusal(
        _ what: String, _ rows: [SecretTable.Current], _ known: State, _ journal: VaultJournal
    ) -> String {
        var words = rows.filter { row in
            row.record.map { $0.master != known.key.id || (try? known.key.open($0, at: row.address)) == nil } ?? true
        }.map { "\($0.address.words) does not open" }
        if audit != nil { words += journal.differences(from: known.set.marks) }
        let shown = words.prefix(5).joined(separator: "; ") + (words.count > 5 ? "; and \(words.count - 5) more" : "")
        return "no secret is opened: nexus.sqlite was changed or is an older copy. The secrets in it \(what). "
            + (shown.isEmpty ? "" : shown + ". ")
            + "Restore the database that belongs to the audit log, or run `nexus secret accept` to keep what is there"
    }

    /// Makes the set as it stands the one that counts. For an admin who restored a backup and knows it.
    public func accept() throws(HostError) {
        try changing.withLock { _ throws(HostError) in
            let known = try load()
            try commit(.adopted(known.set.marks), set: known.set, known) { _ in }
        }
    }

    // MARK: the first start

    /// Makes the store: a salt, epoch 1, and every record of format 1 sealed anew.
    private func begin(_ journal: VaultJournal?) throws(HostError) -> State {
        let key = VaultKey(loaded.key, salt: RandomBytes.make(32))
        let newest = journal?.newestEpoch ?? 0
        var known = State(key: key, other: nil, set: SecretSet(), epoch: 0, newestEpoch: newest)
        if let journal, journal.settled != nil {
            let rows = try database.read { try SecretTable.all($0) }
            known.set = Self.set(rows, key: key)
            known.refusal = refusal("have no epoch, and the audit log is at \(newest)", rows, known, journal)
            let refused = known
            state.withLock { $0 = refused }
            return refused
        }
        let old = try database.read { try SecretTable.formatOne($0) }
        let sealed = try old.map { row throws(HostError) in try sealAnew(row, under: key) }
        guard old.isEmpty || sealed.contains(where: { !$0.wrapped.isEmpty }) else {
            throw HostError(
                .secretUnreadable,
                "no stored secret opens under this master key; restore the key that belongs to this database")
        }
        for (row, record) in zip(old, sealed) { known.set.put(record.mark, at: row.address, key: key) }
        let start = known
        state.withLock { $0 = start }
        do throws(HostError) {
            try commit(.adopted(start.set.marks), set: start.set, start, key: key) { database in
                for (row, record) in zip(old, sealed) { try SecretTable.put(database, record, at: row.address) }
                try SecretTable.clearFormatOne(database)
            }
            try finishScrub()
        } catch {
            state.withLock { $0 = nil }
            throw error
        }
        return state.withLock { $0 } ?? start
    }

    /// A record that does not open is kept as it is, without a data key: it is listed, and says so when it is wanted.
    private func sealAnew(
        _ row: (address: SecretAddress, version: Int, sealed: [UInt8], created: Int), under key: VaultKey
    ) throws(HostError) -> SecretRecord {
        let bound = row.address.associatedData(version: row.version)
        guard let value = try? SealedBytes(stored: row.sealed)?.open(key: key.master.key, bound: bound) else {
            return SecretRecord(
                version: row.version, master: key.id, wrapped: [], sealed: row.sealed, created: row.created)
        }
        do {
            return try key.seal(value, at: row.address, version: row.version, created: row.created, expires: nil)
        } catch {
            throw HostError(.storageFailed, "\(row.address.words) could not be sealed: \(error)")
        }
    }
}
