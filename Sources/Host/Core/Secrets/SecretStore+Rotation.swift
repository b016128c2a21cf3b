internal import GRDB
internal import NIOPosix
internal import Synchronization
public import PluginABI

/// What a rotation has reached; a crash at any of these leaves every secret readable.
enum RotationStep: String, CaseIterable, Sendable {
    case staged, rewrapped, committed, promoted, scrubbed
}

extension SecretStore {
    /// Puts all data keys under a new master key while calls go on.
    ///
    /// The next key is on the disk before the database changes over in one transaction, and takes the old one's place
    /// after. Whichever of the two the database names is in force. Blocks its thread: not for the cooperative pool.
    ///
    /// - Parameter input: the new passphrase, or the new key where it is not kept in the home; else nil.
    /// - Returns: how many versions were wrapped anew.
    public func rotateMaster(_ input: SecretBytes? = nil) throws(HostError) -> Int {
        try changing.withLock { _ throws(HostError) in
            let known = try usable()
            let keeper = loaded.keeper
            // Else the key in force would be written over by the next.
            if known.isStaged { try keeper.promote() }
            let next = VaultKey(try keeper.stage(input), salt: RandomBytes.make(32))
            guard next.id != known.key.id else {
                keeper.discard()
                throw HostError(.invalidRequest, "that is the master key in force; give another")
            }
            reached(.staged)
            state.withLock { $0?.other = next }
            let versions = try database.read { try SecretTable.everyVersion($0) }
            let set = known.set.summed(under: next)
            do throws(HostError) {
                try commit(.rotated, set: set, known, key: next) { [reached] database in
                    for (address, record) in versions {
                        // What did not open before does not open after, and its data key stays lost.
                        var fresh = record
                        fresh.master = next.id
                        fresh.wrapped = (try? known.key.rewrap(record, at: address, under: next))?.wrapped ?? []
                        try SecretTable.rewrap(database, fresh, at: address)
                    }
                    reached(.rewrapped)
                }
            } catch {
                keeper.discard()
                state.withLock { $0?.other = nil }
                throw error
            }
            reached(.committed)
            state.withLock { $0?.isStaged = true }
            try keeper.promote()
            state.withLock { $0?.isStaged = false }
            reached(.promoted)
            try finishScrub()
            reached(.scrubbed)
            // Whoever read a record before the change over has opened it, or reads it again.
            state.withLock { $0?.other = nil }
            return versions.count
        }
    }

    /// The same on a thread of its own.
    public func rotateMasterAside(_ input: SecretBytes? = nil) async throws(HostError) -> Int {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try self.rotateMaster(input) }
        } catch {
            throw (error as? HostError) ?? HostError(.unavailable, "the host ends; nothing was rotated")
        }
    }

    /// What a rotation that was cut off left to do: the next key takes its place, or goes.
    func finishRotation(_ vault: SecretTable.Vault, under key: VaultKey) throws(HostError) {
        if loaded.key.id == key.id {
            if loaded.next != nil { loaded.keeper.discard() }
        } else {
            try loaded.keeper.promote()
        }
        if vault.needsScrub { try finishScrub() }
    }

    /// Leaves no byte of what was wrapped under another key in the database's files.
    func finishScrub() throws(HostError) {
        try database.scrub()
        try database.writeDurably { try $0.execute(sql: "UPDATE vault SET scrub = 0") }
    }
}
