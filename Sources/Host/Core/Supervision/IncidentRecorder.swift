public import AuditLog
internal import JSONBytes
internal import Logging
internal import PluginABI
internal import Synchronization

/// Puts each death on record: in the database with all that is known, in the audit log with its id.
///
/// What cannot be written when it happens (a full disk) is kept in memory, `HostLimits.lateRecords` at most, and
/// written in its order once there is room; its audit entry then says in `happened` when it was.
public final class IncidentRecorder: Sendable {
    public let store: IncidentStore
    private let audit: AuditLog
    private let now: @Sendable () -> UInt64
    private let logger = Logger(label: "nexus.incidents")
    /// What instances left whose end has not been recorded yet, the latest last. Those that ended as they were asked
    /// to are among them until others take their place.
    private let left = Mutex<[(instance: String, remains: Incident.Remains)]>([])
    private static let most = 64

    /// One thing that happened. Its incident, if it has one, is stored first, so that its entry can name it.
    private struct Record {
        var incident: Incident?
        var isStored = false
        var isLate = false
        var happened: String
        var entry: [(String, JSONValue)]
    }
    private struct Unwritten {
        var records: [Record] = []
        /// For which there was no room in memory either.
        var lost = 0
    }
    private let unwritten = Mutex(Unwritten())

    /// What `failed` knows of a death.
    struct Death {
        /// What the instance left behind, if it came so far.
        var remains: Incident.Remains?
        /// Nil while it cannot be stored.
        var incident: Int64?
    }

    public init(
        store: IncidentStore, audit: AuditLog, now: @escaping @Sendable () -> UInt64 = Clock.unixMilliseconds
    ) {
        self.store = store
        self.audit = audit
        self.now = now
    }

    /// Called as a session ends, before anybody hears of the end.
    func left(_ instance: String, _ remains: Incident.Remains) {
        left.withLock { left in
            left.append((instance, remains))
            if left.count > Self.most { left.removeFirst() }
        }
    }

    /// A plugin failed.
    @discardableResult
    func failed(_ plugin: InstalledPlugin, _ instance: String, _ cause: HostError) -> Death {
        let remains = left.withLock { left in
            left.lastIndex { $0.instance == instance }.map { left.remove(at: $0).remains }
        }
        logger.warning(
            "plugin failed",
            metadata: ["plugin": "\(plugin.name)", "instance": "\(instance)", "cause": "\(cause.message)"])
        let id = put(
            Incident(
                id: 0, time: now(), plugin: plugin.name, version: plugin.manifest.version, instance: instance,
                code: cause.code.rawValue, cause: cause.message, remains: remains ?? Incident.Remains()),
            [
                ("kind", "plugin"), ("event", "failed"), ("plugin", .string(plugin.name)),
                ("instance", .string(instance)), ("code", .string(cause.code.rawValue)),
                ("cause", .string(cause.message)),
            ])
        return Death(remains: remains, incident: id)
    }

    /// nexus-jail ended and is started again; the jails that died with it are recorded each by itself.
    public func lostLauncher(_ how: String) {
        let cause = "nexus-jail ended (\(how)); it is started again, and every jail died with it"
        logger.error("\(cause)")
        put(
            Incident(id: 0, time: now(), code: "jail-failed", cause: cause, remains: Incident.Remains()),
            [("kind", "host"), ("event", "launcher-lost"), ("cause", .string(cause))])
    }

    /// An audit entry of what happened anyway: a log that cannot be written does not undo it.
    func tell(_ entry: [(String, JSONValue)]) { put(nil, entry) }

    /// The latest first; those that could not be stored yet have 0 for an id.
    ///
    /// - Parameter plugin: nil for those of all plugins and of nexus-jail.
    public func list(of plugin: String? = nil, limit: Int) throws(HostError) -> [Incident] {
        let late = unwritten.withLock { $0.records.filter { !$0.isStored }.compactMap(\.incident) }
            .filter { plugin == nil || $0.plugin == plugin }
        return Array((late.reversed() + (try store.list(of: plugin, limit: limit))).prefix(limit))
    }

    /// Writes what could not be written before.
    ///
    /// - Returns: how many records wait still.
    @discardableResult
    public func flush() -> Int {
        unwritten.withLock { unwritten in
            write(&unwritten)
            return unwritten.records.count
        }
    }

    /// - Returns: the incident's id, if it is stored.
    @discardableResult
    private func put(_ incident: Incident?, _ entry: [(String, JSONValue)]) -> Int64? {
        unwritten.withLock { unwritten in
            unwritten.records.append(Record(incident: incident, happened: AuditClock.now(), entry: entry))
            if unwritten.records.count > HostLimits.lateRecords {
                unwritten.records.removeFirst()
                unwritten.lost += 1
            }
            // While others wait for room, so does this one: a disk that is full is asked once a second (`flush`).
            return unwritten.records.count == 1 ? write(&unwritten) : nil
        }
    }

    /// - Returns: the id of the last incident, if all is written.
    @discardableResult
    private func write(_ unwritten: inout Unwritten) -> Int64? {
        var last: Int64?
        do {
            if unwritten.lost > 0 {
                try audit.append([("kind", "host"), ("event", "records-lost"), ("count", JSONValue(unwritten.lost))])
                unwritten.lost = 0
            }
            while var record = unwritten.records.first {
                if let incident = record.incident, !record.isStored {
                    record.incident?.id = try store.add(incident) ?? 0
                    record.isStored = true
                    unwritten.records[0] = record
                }
                last = record.incident.flatMap { $0.id == 0 ? nil : $0.id }
                try audit.append(entry(of: record))
                unwritten.records.removeFirst()
            }
        } catch {
            let isNews = unwritten.records.last?.isLate == false
            for index in unwritten.records.indices { unwritten.records[index].isLate = true }
            if isNews {
                logger.error(
                    "a record could not be written and is kept in memory until it can: \(error)",
                    metadata: ["records": "\(unwritten.records.count)"])
            }
            return nil
        }
        return last
    }

    private func entry(of record: Record) -> [(String, JSONValue)] {
        var entry = record.entry
        if let incident = record.incident {
            entry.append(("incident", incident.id == 0 ? .null : .string("\(incident.id)")))
        }
        if record.isLate { entry.append(("happened", .string(record.happened))) }
        return entry
    }
}
