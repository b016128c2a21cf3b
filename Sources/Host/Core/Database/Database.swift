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
            // Whoever looks at it with another program, or is still closing it, is waited for.
            configuration.busyMode = .timeout(5)
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
            throw HostError(.storageFailed, "the database \(path) cannot be opened: \(Self.words(error))")
        }
    }

    func read<Value: Sendable>(_ body: @Sendable (GRDB.Database) throws -> Value) throws(HostError) -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw failure(error)
        }
    }

    /// For one statement that reads: it sees one state of the database, also without a transaction around it.
    func readOne<Value: Sendable>(_ body: @Sendable (GRDB.Database) throws -> Value) throws(HostError) -> Value {
        do {
            return try pool.unsafeRead(body)
        } catch {
            throw failure(error)
        }
    }

    func write<Value: Sendable>(_ body: @Sendable (GRDB.Database) throws -> Value) throws(HostError) -> Value {
        do {
            return try pool.write(body)
        } catch {
            throw failure(error)
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
            throw failure(error)
        }
    }

    /// Leaves no deleted byte behind: the file is written anew, and its log emptied into it.
    func scrub() throws(HostError) {
        do {
            try pool.vacuum()
            // Reads wait for this one step: a log that is being read is not emptied.
            _ = try pool.barrierWriteWithoutTransaction { try $0.checkpoint(.truncate) }
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: any Error) -> HostError {
        (error as? HostError)
            ?? HostError(.storageFailed, "the database \(pool.path) refused: \(Self.words(error))", retryable: true)
    }

    /// What SQLite's code means here, and what to do (https://sqlite.org/rescode.html).
    private static let advice: [(ResultCode, String)] = [
        (.SQLITE_FULL, "its disk is full; free space on it"),
        (.SQLITE_IOERR, "its disk is full or fails; free space on it, and look for errors of the disk"),
        (.SQLITE_READONLY, "it may not be written; see its owner and whether its disk is mounted read-only"),
        (.SQLITE_CANTOPEN, "it cannot be opened; see its owner and mode, and free space on its disk"),
        (.SQLITE_BUSY, "another process holds it; end that process"),
        (.SQLITE_CORRUPT, "it is damaged; restore a backup"),
        (.SQLITE_NOTADB, "it is no database; restore a backup"),
    ]

    static func words(_ error: any Error) -> String {
        guard let error = error as? DatabaseError,
            let found = advice.first(where: { $0.0 == error.resultCode.primaryResultCode })
        else { return "\(error)" }
        return "\(found.1) (SQLite error \(error.extendedResultCode.rawValue))"
    }
}

extension [UInt8] {
    /// As SQLite's BLOB.
    var blob: Data { Data(self) }
}
