internal import AuditLog
internal import Glibc
internal import HostCore
internal import JSONBytes
internal import PluginABI

/// The store of secrets with many in it, in a home of its own: storing one, listing all, a new master key for all.
struct Secrets {
    let count: Int

    /// Nanoseconds: each of the last hundred stored, of 2,000 openings of one, and of so many lists and rotations.
    func run(rounds: Int) throws -> JSONObject {
        var template = Array("/tmp/nexus-bench-secrets-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchFailure("no folder") }
        let home = Home(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer { remove(home) }
        let store = SecretStore(
            database: try Database(path: home.database), key: try LoadedMasterKey.load(.file, home: home),
            audit: try AuditLog(directory: home.audit))
        var sets: [Int] = []
        for number in 0..<count {
            let address = SecretAddress(scope: .user, owner: "group/user\(number)", plugin: "bench", name: "api_key")
            let start = nanoseconds()
            try store.set(address, SecretBytes(copying: [UInt8](repeating: 0x78, count: 64)))
            sets.append(nanoseconds() - start)
        }
        var lists: [Int] = []
        var rotations: [Int] = []
        for _ in 0..<rounds {
            var start = nanoseconds()
            guard try store.list().count == count else { throw BenchFailure("some are missing") }
            lists.append(nanoseconds() - start)
            start = nanoseconds()
            guard try store.rotateMaster() == count else { throw BenchFailure("some were not rotated") }
            rotations.append(nanoseconds() - start)
        }
        var opens: [Int] = []
        let address = SecretAddress(scope: .user, owner: "group/user1", plugin: "bench", name: "api_key")
        for _ in 0..<2_000 {
            let start = nanoseconds()
            guard try store.open(address)?.count == 64 else { throw BenchFailure("the value is another") }
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
            ("rotate-master", list(rotations)), ("start", JSONValue(nanoseconds() - start)),
        ])
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
