import AuditLog
import Foundation
import GRDB
import PluginABI
import Synchronization
import Testing

@testable import HostCore

/// A store in a home, as a host that starts sees it: started again as often as a test wants, from the files.
final class Vault: Sendable {
    let folder: TestHome
    let clock = Mutex(1_000_000)

    init() throws { folder = try TestHome() }

    /// As after a start of the host.
    func start(
        source: MasterKeySource = .file, audited: Bool = true,
        reached: @escaping @Sendable (RotationStep) -> Void = { _ in }
    ) throws -> SecretStore {
        SecretStore(
            database: try folder.database(), key: try LoadedMasterKey.load(source, home: folder.home),
            audit: audited ? try AuditLog(directory: folder.home.audit) : nil,
            now: { [self] in clock.withLock { $0 } }, reached: reached)
    }

    static func address(
        _ name: String = "key", owner: String = "alice", plugin: String = "bot"
    ) -> SecretAddress {
        SecretAddress(scope: .user, owner: owner, plugin: plugin, name: name)
    }

    /// The files that a crash at this moment would leave, as another home.
    func copy() throws -> Vault {
        let other = try Vault()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.home.path) {
            try FileManager.default.copyItem(
                atPath: "\(folder.home.path)/\(name)", toPath: "\(other.folder.home.path)/\(name)")
        }
        return other
    }

    /// Puts the database of another home in place of this one's; the audit log stays.
    func restoreDatabase(of other: Vault) throws {
        for suffix in ["", "-wal", "-shm"] {
            let path = folder.home.database + suffix
            unlink(path)
            if access(other.folder.home.database + suffix, F_OK) == 0 {
                try FileManager.default.copyItem(atPath: other.folder.home.database + suffix, toPath: path)
            }
        }
    }

    /// Changes the database behind the host's back.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: folder.home.database)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// Why a host that starts does not open this secret.
    func refusal(_ address: SecretAddress = Vault.address()) throws -> HostError? {
        let store = try start()
        return HostCoreTests.refusal { () throws(HostError) in try store.text(address) }
    }

    func events() throws -> [String] {
        let text = String(decoding: try folder.bytes("\(folder.home.audit)/log.jsonl"), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            line.contains(#""kind":"vault""#)
                ? line.split(separator: #""event":""#).last?.split(separator: "\"").first.map(String.init) : nil
        }
    }
}

extension SecretStore {
    func put(_ text: String, _ address: SecretAddress = Vault.address(), expires: Int? = nil) throws(HostError) {
        try set(address, SecretBytes(copying: Array(text.utf8)), expires: expires)
    }
    func text(_ address: SecretAddress = Vault.address()) throws(HostError) -> String? {
        try open(address)?.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}
