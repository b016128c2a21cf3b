internal import AuditLog
internal import Glibc
internal import HostCore
internal import JSONBytes
internal import PluginABI

/// The store of secrets with many in it, in a home of its own: storing one, listing all, a new master key for all while
/// two readers open secrets as fast as they can.
struct Secrets {
    let count: Int

    /// Nanoseconds: each of the last hundred stored, of 2,000 openings of one, and of so many lists and rotations; how
    /// many reads there were during each rotation, and how many of all failed.
    func run(rounds: Int) async throws -> JSONObject {
        var template = Array("/tmp/nexus-bench-secrets-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchFailure("no folder") }
        let home = Home(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer { remove(home) }
        let store = SecretStore(
            database: try Database(path: home.database), key: try LoadedMasterKey.load(.file, home: home),
            audit: try AuditLog(directory: home.audit))
        var sets: [Int] = []
        for number in 0..<count {
            let start = nanoseconds()
            try store.set(Self.address(number), SecretBytes(copying: [UInt8](repeating: 0x78, count: 64)))
            sets.append(nanoseconds() - start)
        }
        var lists: [Int] = []
        var rotations: [Int] = []
        var reads: [Int] = []
        var failed = 0
        for _ in 0..<rounds {
            var start = nanoseconds()
            guard try store.list().count == count else { throw BenchFailure("some are missing") }
            lists.append(nanoseconds() - start)
            start = nanoseconds()
            let readers = (0..<2).map { reader in Task.detached { Self.read(store, of: count, from: reader) } }
            let rotated = try await store.rotateMasterAside()
            rotations.append(nanoseconds() - start)
            guard rotated == count else { throw BenchFailure("some were not rotated") }
            for reader in readers { reader.cancel() }
            var made = 0
            for reader in readers {
                made += await reader.value.reads
                failed += await reader.value.failed
            }
            reads.append(made)
        }
        var opens: [Int] = []
        for _ in 0..<2_000 {
            let start = nanoseconds()
            guard try store.open(Self.address(1))?.count == 64 else { throw BenchFailure("the value is another") }
            opens.append(nanoseconds() - start)
        }
        let again = SecretStore(
            database: try Database(path: home.database), key: try LoadedMasterKey.load(.file, home: home),
            audit: try AuditLog(directory: home.audit))
        let start = nanoseconds()
        guard try again.check() == nil else { throw BenchFailure("the set is not what the log says") }
        return JSONObject([
            ("secrets", JSONValue(count)), ("set", list(Array(sets.suffix(100)))), ("open", list(opens)),
            ("list", list(lists)),
            ("rotate-master", list(rotations)), ("reads", list(reads)), ("failed-reads", JSONValue(failed)),
            ("start", JSONValue(nanoseconds() - start)),
        ])
    }

    private static func address(_ number: Int) -> SecretAddress {
        SecretAddress(scope: .user, owner: "group/user\(number)", plugin: "bench", name: "api_key")
    }

    /// Opens one secret after the other until it is cancelled.
    private static func read(_ store: SecretStore, of count: Int, from first: Int) -> (reads: Int, failed: Int) {
        var (reads, failed) = (0, 0)
        while !Task.isCancelled {
            let value = try? store.open(address((first + reads * 7) % count))
            if value?.count != 64 { failed += 1 }
            reads += 1
        }
        return (reads, failed)
    }

    private func remove(_ home: Home) {
        for path in [
            home.database, home.database + "-wal", home.database + "-shm", home.masterKey,
            "\(home.audit)/\(AuditLog.fileName)",
        ] { unlink(path) }
        rmdir(home.audit)
        rmdir(home.path)
    }
}
