// The life of one jail as the host sees it: a value that takes report records and returns what to do. The records come
// from nexus-jail and from init, before and after the plugin runs; the plugin itself never holds the socket.
import CJail
import Glibc

struct JailProgress: Sendable {
    enum Action: Equatable {
        case waiting(JailReport)
        case started(Result<JailReport, JailError>)
        case exited(JailEnd)
    }

    private enum State {
        /// Layers are being applied.
        case starting
        /// Everything is applied; the program is executed on command.
        case waiting
        /// The program was executed.
        case running
        /// The program ended; the launcher has still to say which limits the jail met.
        case ending(JailExit)
        /// Nothing more is expected.
        case over
    }

    private var state = State.starting
    private var layers: [JailLayerState] = []
    /// Init's pid as the host sees it; 0 until the launcher has said it.
    private(set) var processID: Int32 = 0
    private var denials = JailReport.denials(error: ENOSYS)
    let name: String
    let limits: JailLimits
    let bounds: CgroupBounds

    private let showsPaths: Bool

    init(name: String, limits: JailLimits, bounds: CgroupBounds = .none, showsPaths: Bool = false) {
        self.showsPaths = showsPaths
        self.name = name
        self.limits = limits
        self.bounds = bounds
    }

    /// Whether only the launcher's last word is missing.
    var isEnding: Bool {
        if case .ending = state { true } else { false }
    }

    private var report: JailReport {
        JailReport(
            layers: layers + JailReport.closing(limits, bounds)
                + [denials, JailReport.paths(shown: showsPaths, denials)])
    }

    /// One record arrived.
    mutating func received(_ record: ReportRecord) -> [Action] {
        switch (state, record.kind) {
        case (.starting, JAIL_REPORT_LAUNCHED.rawValue): processID = record.value
        case (.starting, JAIL_REPORT_APPLIED.rawValue):
            layers.append(JailLayerState(name: record.layer, state: .applied, detail: record.detail))
        case (.starting, JAIL_REPORT_UNAVAILABLE.rawValue):
            let detail = "\(record.detail): \(ErrnoName.describe(record.error))"
            layers.append(JailLayerState(name: record.layer, state: .unavailable, detail: detail))
        case (.starting, JAIL_REPORT_LISTENER.rawValue): denials = JailReport.denials(error: record.error)
        case (.starting, JAIL_REPORT_WAITING.rawValue):
            state = .waiting
            return [.waiting(report)]
        case (.starting, JAIL_REPORT_READY.rawValue), (.waiting, JAIL_REPORT_READY.rawValue):
            state = .running
            layers.append(JailLayerState(name: "exec", state: .applied, detail: "the program was executed"))
            return [.started(.success(report))]
        case (.starting, JAIL_REPORT_FAILED.rawValue), (.waiting, JAIL_REPORT_FAILED.rawValue):
            return fail(LayerFailure.error(jail: name, record))
        case (.starting, JAIL_REPORT_ENDED.rawValue) where record.counters.killedForMemory > 0:
            let bytes = JailEnd.amount(limits.memoryBytes)
            return fail(
                JailError(
                    .layer, "jail \"\(name)\": the start needed more memory than the limit of \(bytes); raise it",
                    layer: "cgroup", errno: ENOMEM))
        case (.running, JAIL_REPORT_EXITED.rawValue): state = .ending(record.exit)
        case (.running, JAIL_REPORT_ENDED.rawValue): return end(.lost, record.counters)
        case (.ending(let exit), JAIL_REPORT_ENDED.rawValue): return end(exit, record.counters)
        default: break  // out of place: a record that means nothing here changes nothing
        }
        return []
    }

    /// The socket was closed, or the start took too long.
    mutating func ended(timedOut: Bool = false) -> [Action] {
        switch state {
        case .waiting:
            return fail(JailError(.launcher, "jail \"\(name)\": ended while it waited to be started"))
        case .starting:
            let last = layers.last.map { "after layer \($0.name)" } ?? "before the first layer"
            let what = timedOut ? "did not finish within \(JailLauncher.startSeconds) s" : "ended without a report"
            return fail(JailError(timedOut ? .timeout : .launcher, "jail \"\(name)\": the start \(what), \(last)"))
        case .running: return end(.lost)
        case .ending(let exit): return end(exit)
        case .over: return []
        }
    }

    private mutating func end(_ exit: JailExit, _ counters: JailEnd.Counters = .init()) -> [Action] {
        state = .over
        return [.exited(JailEnd(exit, limits, counters))]
    }

    private mutating func fail(_ error: JailError) -> [Action] {
        state = .over
        return [.started(.failure(error)), .exited(JailEnd(exit: .lost))]
    }
}

/// `jail_report` in Swift terms.
struct ReportRecord: Sendable, Equatable {
    var kind: UInt32
    var operation: UInt32 = 0
    var error: Int32 = 0
    var value: Int32 = 0
    var status: Int32 = 0
    var layer = ""
    var detail = ""

    static let size = MemoryLayout<jail_report>.size
    /// How many records one message may carry.
    static let most = 64

    /// Of `JAIL_REPORT_ENDED`.
    var counters: JailEnd.Counters {
        JailEnd.Counters(
            killedForMemory: Int(value), processesRefused: Int(error), throttledPeriods: Int(status))
    }

    var exit: JailExit { status == 1 /* CLD_EXITED */ ? .exited(code: value) : .signalled(value) }
}

extension ReportRecord {
    /// Nil for anything that is not exactly one record.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        let raw = bytes.withUnsafeBytes { $0.loadUnaligned(as: jail_report.self) }
        guard raw.magic == UInt32(JAIL_REPORT_MAGIC) else { return nil }
        self.init(
            kind: raw.kind, operation: raw.operation, error: raw.error, value: raw.value, status: raw.status,
            layer: Self.text(raw.layer), detail: Self.text(raw.detail))
    }

    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// Turns a failed layer into words that an admin can act on.
enum LayerFailure {
    static func error(jail: String, _ record: ReportRecord) -> JailError {
        // What JAIL_DIE_WITH_LAUNCHER says of a launcher that died while the jail was made; nothing else there does.
        if record.layer == "identity", record.error == ESRCH { return .launcherLost(jail: jail) }
        let answer = record.error == 0 ? "" : ": \(ErrnoName.describe(record.error))"
        let subject = record.detail.isEmpty ? "" : " at \(record.detail)"
        let remedy = remedy(record)
        return JailError(
            .layer,
            "jail \"\(jail)\": layer \(record.layer) could not be applied\(subject)\(answer)\(remedy)",
            layer: record.layer, errno: record.error == 0 ? nil : record.error)
    }

    private static func remedy(_ record: ReportRecord) -> String {
        let text =
            switch (record.layer, record.error) {
            case ("namespaces", EPERM), ("namespaces", ENOSPC), ("id-maps", EPERM):
                KernelSupport.namespaceRemedy(record.error)
            case ("cgroup", EACCES), ("cgroup", EPERM):
                "nexus-jail's user must own the cgroup directories that it is given"
            case ("cgroup", EINVAL): "the cgroup above allows less than the limit asks for"
            case ("mount-sources", ENOENT): "the file to mount does not exist on the host"
            case ("mount-sources", ELOOP): "give the path without symbolic links"
            case ("mount-sources", EACCES): "the launcher's user must be able to reach the file"
            case ("files", ELOOP): "a link is in the way in the jail: name the place that it leads to"
            case ("files", EROFS): "the place to mount on does not exist in the read-only tree around it"
            case ("exec", ENOENT): "the program, or its dynamic loader, is not in the jail"
            case ("exec", ENOEXEC): "it is not a program for this machine"
            case ("proc", EPERM): "the container masks /proc; run the host outside it or unmask /proc"
            default: ""
            }
        return text.isEmpty ? "" : "; \(text)"
    }
}
