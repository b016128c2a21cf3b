public import AuditLog
internal import JSONBytes
internal import Logging
internal import PluginABI
internal import Synchronization

/// Puts each death on record: in the database with all that is known, in the audit log with its id.
public final class IncidentRecorder: Sendable {
    public let store: IncidentStore
    private let audit: AuditLog
    private let now: @Sendable () -> UInt64
    private let logger = Logger(label: "nexus.incidents")
    /// What instances left whose end has not been recorded yet, the latest last. Those that ended as they were asked
    /// to are among them until others take their place.
    private let left = Mutex<[(instance: String, remains: Incident.Remains)]>([])
    private static let most = 64

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
    ///
    /// - Returns: what it left behind, if it came so far.
    @discardableResult
    func failed(_ plugin: InstalledPlugin, _ instance: String, _ cause: HostError) -> Incident.Remains? {
        let remains = left.withLock { left in
            left.lastIndex { $0.instance == instance }.map { left.remove(at: $0).remains }
        }
        let id = save(
            Incident(
                id: 0, time: now(), plugin: plugin.name, version: plugin.manifest.version, instance: instance,
                code: cause.code.rawValue, cause: cause.message, remains: remains ?? Incident.Remains()))
        logger.warning(
            "plugin failed",
            metadata: ["plugin": "\(plugin.name)", "instance": "\(instance)", "cause": "\(cause.message)"])
        _ = try? audit.append([
            ("kind", "plugin"), ("event", "failed"), ("plugin", .string(plugin.name)),
            ("instance", .string(instance)), ("code", .string(cause.code.rawValue)), ("cause", .string(cause.message)),
            ("incident", id.map { .string("\($0)") } ?? .null),
        ])
        return remains
    }

    /// nexus-jail ended and is started again; the jails that died with it are recorded each by itself.
    public func lostLauncher(_ how: String) {
        let cause = "nexus-jail ended (\(how)); it is started again, and every jail died with it"
        let id = save(
            Incident(id: 0, time: now(), code: "jail-failed", cause: cause, remains: Incident.Remains()))
        logger.error("\(cause)")
        _ = try? audit.append([
            ("kind", "host"), ("event", "launcher-lost"), ("cause", .string(cause)),
            ("incident", id.map { .string("\($0)") } ?? .null),
        ])
    }

    private func save(_ incident: Incident) -> Int64? {
        do throws(HostError) {
            return try store.add(incident)
        } catch {
            logger.error("an incident could not be stored: \(error.message)")
            return nil
        }
    }
}
