// Secrets at rest. The database holds ciphertext; docs/SECRETS.md has the format, ADR 0022 why it is so. What crosses
// here: values from an admin, who may only put them in; values to a call of the plugin that they are for.
public import AuditLog
internal import GRDB
package import PluginABI
internal import Synchronization

/// The store of secrets: each version sealed under a data key of its own, all current versions authenticated as a set
/// under an epoch that the audit log knows.
///
/// Nothing is read before the first use: then records of an older format are sealed anew and the set is checked.
public final class SecretStore: Sendable {
    let database: Database
    let loaded: LoadedMasterKey
    let audit: AuditLog?
    let now: @Sendable () -> Int
    /// Changes, one at a time. Readers take it only where a record does not fit what they know.
    let changing = Mutex(())
    let state = Mutex<State?>(nil)
    let uses = Mutex(Uses())
    /// Told of each step of a rotation; a test ends the process there.
    let reached: @Sendable (RotationStep) -> Void

    /// What is known of the database.
    struct State: Sendable {
        var key: VaultKey
        /// While a rotation is under way: the key that comes, or the one that was.
        var other: VaultKey?
        /// The key in force still lies beside the one before it.
        var isStaged = false
        var set: SecretSet
        var epoch: Int
        /// No epoch is used twice, also not one that was begun and given up.
        var newestEpoch: Int
        /// Why nothing is opened; nil if the set is what the log says.
        var refusal: String?
    }

    struct Uses: Sendable {
        var times: [SecretAddress: Int] = [:]
        var written: Int?
    }

    /// - Parameter audit: where epochs are anchored. Without one an older copy of the whole database passes for the
    ///   current one: for tests of other parts.
    public init(
        database: Database, key: LoadedMasterKey, audit: AuditLog?,
        now: @escaping @Sendable () -> Int = Clock.unixSeconds
    ) {
        self.database = database
        loaded = key
        self.audit = audit
        self.now = now
        reached = { _ in }
    }

    init(
        database: Database, key: LoadedMasterKey, audit: AuditLog?, now: @escaping @Sendable () -> Int,
        reached: @escaping @Sendable (RotationStep) -> Void
    ) {
        self.database = database
        loaded = key
        self.audit = audit
        self.now = now
        self.reached = reached
    }

    public convenience init(database: Database, key: MasterKey, audit: AuditLog? = nil) {
        let keeper = MasterKeyKeeper(kind: .elsewhere, path: "")
        self.init(database: database, key: LoadedMasterKey(key: key, keeper: keeper), audit: audit)
    }

    /// What may be told of a secret.
    public struct Entry: Sendable, Equatable {
        public var address: SecretAddress
        public var version: Int
        /// Unix seconds, as all times here.
        public var created: Int
        public var expires: Int?
        public var used: Int?
    }

    // MARK: reading

    /// Opens a secret; nil if there is none.
    ///
    /// - Throws: `credentialMissing` for one that expired; `secretUnreadable` if the record was changed, moved, rolled
    ///   back or sealed under another key, or the whole set is not what the audit log says.
    package func open(_ address: SecretAddress) throws(HostError) -> SecretBytes? {
        let value = try peek(address)
        if value != nil { noteUse(of: address) }
        return value
    }

    /// As `open`, and no use of it.
    func peek(_ address: SecretAddress) throws(HostError) -> SecretBytes? {
        if let value = try attempt(address) { return value.bytes }
        // It does not fit what we know: a change under way explains that, and is waited for.
        try changing.withLock { _ throws(HostError) in }
        if let value = try attempt(address) { return value.bytes }
        throw HostError(
            .secretUnreadable,
            "\(address.words) cannot be opened: it was changed, or the master key is another; "
                + "set it again with `nexus secret set`")
    }

    private struct Opened {
        var bytes: SecretBytes?
    }

    /// Nil where the record is not what it should be.
    private func attempt(_ address: SecretAddress) throws(HostError) -> Opened? {
        let state = try current()
        if let refusal = state.refusal { throw HostError(.secretUnreadable, refusal) }
        let row = try database.readOne { try SecretTable.current($0, address) }
        guard let row else { return state.set.marks[address] == nil ? Opened(bytes: nil) : nil }
        guard let record = row.record, state.set.marks[address] == record.mark else { return nil }
        if let expires = record.expires, expires <= now() {
            throw HostError(
                .credentialMissing,
                "\(address.words) expired on \(UTCTime.text(expires)); set it again with: "
                    + "nexus secret set \(address.plugin) \(address.name)"
                    + (address.owner.isEmpty ? " --global" : " --user \(address.owner)"))
        }
        let keys = [state.key, state.other].compactMap { $0 }
        guard let key = keys.first(where: { $0.id == record.master }),
            let value = try? key.open(record, at: address)
        else { return nil }
        return Opened(bytes: value)
    }

    /// All secrets, by plugin, owner and name. Shows also what does not open.
    public func list() throws(HostError) -> [Entry] {
        try? writeUses()
        return try database.read { try SecretTable.entries($0) }
    }

    /// The kept versions of a secret, newest first.
    public func versions(of address: SecretAddress) throws(HostError) -> [Entry] {
        try database.read { database in
            try SecretTable.versions(database, of: address).map {
                Entry(address: address, version: $0.version, created: $0.created, expires: $0.expires)
            }
        }
    }

    /// A keyed fingerprint for the log: tells two values apart, tells nothing of either (HMAC-SHA256, 64 bits of it).
    /// Another master key gives others.
    func fingerprint(_ value: SecretBytes) -> String {
        let key = state.withLock { $0?.key } ?? VaultKey(loaded.key, salt: [])
        return key.fingerprint(value)
    }

    // MARK: last used

    /// Notes a use in memory; all notes are written together, once a minute at most.
    private func noteUse(of address: SecretAddress) {
        let time = now()
        let isDue = uses.withLock { uses in
            uses.times[address] = time
            let since = uses.written ?? time
            guard time - since >= HostLimits.secretUseSeconds || uses.written == nil else { return false }
            uses.written = time
            return true
        }
        if isDue { Task.detached { [self] in try? writeUses() } }
    }

    /// Writes when secrets were last used; also for when the host ends.
    public func writeUses() throws(HostError) {
        let times = uses.withLock { uses in
            defer { uses.times = [:] }
            return uses.times
        }
        guard !times.isEmpty else { return }
        try database.write { database in
            for (address, time) in times { try SecretTable.markUsed(database, address, at: time) }
        }
    }
}
