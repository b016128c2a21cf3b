// The record of what was asked, decided and done. Whoever reads it trusts nobody who wrote it: each line names the hash
// of the line before, and the bytes on disk are the bytes that are hashed.
internal import Crypto
public import JSONBytes
internal import Synchronization
internal import SystemPackage

/// An append-only log: `audit/log.jsonl`, one JSON object a line.
///
/// Each line has `seq` from 1, `prev` (SHA-256 of the line before it without its newline, hex; 64 zeros for the first),
/// `time` (RFC 3339, UTC) and what the caller adds.
public final class AuditLog: Sendable {
    public static let fileName = "log.jsonl"
    private static let ownNames: Set<String> = ["seq", "prev", "time"]
    static let genesis = String(repeating: "0", count: 64)

    private struct State {
        var sequence: Int
        var previous: String
        var file: FileDescriptor
    }
    private let state: Mutex<State>
    private let path: FilePath
    private let now: @Sendable () -> String
    private let appended: @Sendable (Int64) -> Void

    /// Opens the log, creating directory (0700) and file (0600) if needed. A line without its newline at the end, left
    /// by a crash, is moved to `torn-<seq>` and a record of kind `gap` takes its place.
    ///
    /// - Parameter appended: is told how long each entry took, in nanoseconds.
    /// - Throws: `AuditError` if the chain does not hold; nothing is changed then.
    public init(
        directory: String, now: @escaping @Sendable () -> String = AuditClock.now,
        appended: @escaping @Sendable (Int64) -> Void = { _ in }
    ) throws(AuditError) {
        let folder = FilePath(directory)
        path = folder.appending(Self.fileName)
        self.now = now
        self.appended = appended
        let tail: AuditChain.Tail
        let file: FileDescriptor
        do {
            try AuditFiles.makeDirectory(folder)
            file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .append, .noFollow, .closeOnExec], permissions: [.ownerReadWrite])
        } catch {
            throw AuditError(.unwritable, "the audit log \(path) cannot be opened: \(error)")
        }
        let bytes = try AuditFiles.read(path)
        do {
            tail = try AuditChain.check(bytes)
        } catch {
            throw AuditError(
                error.code,
                "\(error.message) (in \(path)); keep \(folder) as it is, for it is evidence: move it away and start "
                    + "again with a new log, or restore it from a backup")
        }
        state = Mutex(State(sequence: tail.sequence, previous: tail.hash, file: file))
        guard !tail.torn.isEmpty else { return }
        do {
            try AuditFiles.setAside(tail.torn, in: folder, as: "torn-\(tail.sequence + 1)")
            try AuditFiles.truncate(path, to: tail.end)
        } catch {
            throw AuditError(.unwritable, "the torn end of \(path) could not be set aside: \(error)")
        }
        try append([("kind", "gap"), ("reason", "a write was cut off"), ("bytes", JSONValue(tail.torn.count))])
    }

    deinit { state.withLock { try? $0.file.close() } }

    /// Appends one entry; when it returns, write(2) has taken the whole line.
    ///
    /// - Returns: the entry's sequence number.
    /// - Throws: `AuditError` with `unwritable`; the caller must then not do what it wanted to record.
    @discardableResult
    public func append(_ members: [(String, JSONValue)]) throws(AuditError) -> Int {
        let start = ContinuousClock.now
        defer { appended(Int64(clamping: (ContinuousClock.now - start).attoseconds / 1_000_000_000)) }
        do {
            return try state.withLock { state in
                let sequence = state.sequence + 1
                var entry: [(key: String, value: JSONValue)] = [
                    ("seq", JSONValue(sequence)), ("prev", .string(state.previous)), ("time", .string(now())),
                ]
                // The chain's own names are not the caller's to set.
                entry.append(
                    contentsOf: members.filter { !Self.ownNames.contains($0.0) }.map { (key: $0.0, value: $0.1) })
                var line = JSONValue.object(JSONObject(entry)).encoded()
                let hash = AuditChain.hash(of: line[...])
                line.append(0x0A)
                try write(line, to: state.file)
                state.sequence = sequence
                state.previous = hash
                return sequence
            }
        } catch {
            throw AuditError(
                .unwritable, "the audit log \(path) cannot be written: \(error); free space on its disk")
        }
    }

    /// Writes a line whole or not at all: what a full disk cut off is taken back.
    private func write(_ line: [UInt8], to file: FileDescriptor) throws {
        let end = try file.seek(offset: 0, from: .end)
        do {
            _ = try file.writeAll(line)
        } catch {
            try? file.resize(to: end)
            throw error
        }
    }

    /// The last `count` entries, oldest first, as they stand in the file.
    public func tail(_ count: Int) throws(AuditError) -> [[UInt8]] {
        try AuditFiles.read(path).split(separator: 0x0A).suffix(count).map(Array.init)
    }
}
