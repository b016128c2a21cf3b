// The embedded store: SQLite through GRDB. Secrets in it are ciphertext and tokens are hashes, so that a copy of the
// file gives away neither.
internal import FoundationEssentials
internal import GRDB

/// Owns the connection and the schema.
public struct Database: Sendable {
    let pool: DatabasePool

    /// Opens the file and brings its schema up to date.
    ///
    /// - Throws: `HostError` with `storageFailed`; a file written by a newer Nexus is refused, not guessed at.
    public init(path: String) throws(HostError) {
        do {
            var configuration = Configuration()
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON")
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            let isNewer = try pool.read { try Migrations.all.hasBeenSuperseded($0) }
            guard !isNewer else {
                throw HostError(
                    .storageFailed, "\(path) was written by a newer Nexus; install that version or restore a backup")
            }
            try Migrations.all.migrate(pool)
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.storageFailed, "the database \(path) cannot be opened: \(error)")
        }
    }

    func read<Value: Sendable>(_ body: @Sendable (GRDB.Database) throws -> Value) throws(HostError) -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw Self.failure(error)
        }
    }

    func write<Value: Sendable>(_ body: @Sendable (GRDB.Database) throws -> Value) throws(HostError) -> Value {
        do {
            return try pool.write(body)
        } catch {
            throw Self.failure(error)
        }
    }

    /// The same, and on the disk when it returns (`PRAGMA synchronous = FULL`): a power cut does not take it back.
    func writeDurably<Value: Sendable>(
        _ body: @Sendable (GRDB.Database) throws -> Value
    ) throws(HostError) -> Value {
        do {
            return try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL")
                defer { try? database.execute(sql: "PRAGMA synchronous = NORMAL") }
                var result: Value?
                try database.inTransaction(.immediate) {
                    result = try body(database)
                    return .commit
                }
                guard let result else { throw HostError(.storageFailed, "the database made no change") }
                return result
            }
        } catch {
            throw Self.failure(error)
        }
    }

    /// Leaves no deleted byte behind: the file is written anew, and its log emptied into it.
    func scrub() throws(HostError) {
        do {
            try pool.vacuum()
            // Reads wait for this one step: a log that is being read is not emptied.
            _ = try pool.barrierWriteWithoutTransaction { try $0.checkpoint(.truncate) }
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> HostError {
        (error as? HostError) ?? HostError(.storageFailed, "the database refused: \(error)", retryable: true)
    }
}

extension [UInt8] {
    /// As SQLite's BLOB.
    var blob: Data { Data(self) }
}
