internal import AuditLog
internal import Glibc
internal import JSONBytes
internal import PluginABI
internal import Synchronization

/// The last lines that a plugin said outside the protocol: stdout, stderr and log frames.
public final class PluginLog: Sendable {
    /// Numbers rise by one while nexusd runs.
    public struct Line: Sendable, Equatable {
        public var number: Int
        /// When it was kept: RFC 3339, UTC, as in the audit log.
        public var time: String
        public var text: String
        /// The call on whose behalf it was said, where that is known.
        public var request: String?
        /// The process that wrote it to stdout or stderr.
        var instance: String?
    }
    private struct State {
        var lines: [Line] = []
        var count = 0
        var second = 0
        var inSecond = 0
        var dropped = 0
        /// For each mistake (by its fix): the second in which it was last told, and how often it came since.
        var told: [String: (second: Int, since: Int)] = [:]
    }
    private let state = Mutex(State())
    private let sink: @Sendable (Line) -> Void
    /// What this plugin was lent, over all its instances.
    let redactor = Redactor()

    private let now: @Sendable () -> Int

    init(now: @escaping @Sendable () -> Int = Clock.unixSeconds, sink: @escaping @Sendable (Line) -> Void) {
        self.now = now
        self.sink = sink
    }

    /// Keeps one line, made safe to print: no secrets, cut to length, control characters shown as escapes.
    func add(_ source: String, _ text: String, instance: String? = nil) {
        add(source, request: nil, instance: instance) { text }
    }

    /// - Parameter text: made only for a line that is kept.
    private func add(_ source: String, request: String?, instance: String? = nil, _ text: () -> String) {
        guard let dropped = admit() else { return }
        if dropped > 0 {
            keep("nexusd: \(dropped) lines were dropped; the limit is \(HostLimits.logLinesPerSecond) a second")
        }
        // Redacted before it is cut: half a secret would not be recognised.
        keep(
            "\(source): \(redactor.redact(text()).cut(to: HostLimits.logLineBytes).printable)", request: request,
            instance: instance)
    }

    /// A log frame, with its fields as compact JSON after the message.
    func add(_ record: Message.LogRecord, request: String? = nil) {
        add("log/\(record.level)", request: request) {
            guard let fields = record.fields else { return record.message }
            guard fields.count <= HostLimits.logFieldsBytes else {
                return "\(record.message) (\(fields.count) bytes of fields left out)"
            }
            let shown = try? JSONValue(parsing: redactor.redact(json: fields)).text
            return record.message + (shown.map { " \($0)" } ?? "")
        }
    }

    /// A mistake of the author: not counted with the plugin's own lines, so that a flood of these cannot hide it, and
    /// told once a second at most.
    func add(_ diagnosis: Diagnosis, request: String? = nil) {
        tell(diagnosis.description, as: diagnosis.fix, request: request)
    }

    /// Something that the host refused: as a mistake, once a second for each rule.
    func add(_ denial: Denial) { tell(denial.line, as: denial.key, request: denial.requestID) }

    private func tell(_ said: String, as key: String, request: String?) {
        let more: Int? = state.withLock { state in
            let second = now()
            // Keys may be of a plugin's making.
            if state.told.count > HostLimits.keptLogLines { state.told = [:] }
            let (last, since) = state.told[key] ?? (.min, 0)
            state.told[key] = last == second ? (last, since + 1) : (second, 0)
            return last == second ? nil : since
        }
        guard let more else { return }
        let text = redactor.redact(said).cut(to: HostLimits.logLineBytes).printable
        keep("nexusd: \(text)\(more > 0 ? " (\(more) times more since)" : "")", request: request)
    }

    private func keep(_ text: String, request: String? = nil, instance: String? = nil) {
        let line = state.withLock { state in
            state.count += 1
            let line = Line(
                number: state.count, time: AuditClock.now(), text: text, request: request, instance: instance)
            state.lines.append(line)
            if state.lines.count > HostLimits.keptLogLines { state.lines.removeFirst() }
            return line
        }
        sink(line)
    }

    /// Whether a line may be kept now, and if so how many were dropped since the last one; nil for one to drop.
    private func admit() -> Int? {
        state.withLock { state in
            let second = now()
            if second != state.second { (state.second, state.inSecond) = (second, 0) }
            guard state.inSecond < HostLimits.logLinesPerSecond else {
                state.dropped += 1
                return nil
            }
            state.inSecond += 1
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    /// The number of the last line.
    var count: Int { state.withLock { $0.count } }

    public func recent(_ count: Int) -> [String] { state.withLock { $0.lines.suffix(count).map(\.text) } }

    /// The kept lines with higher numbers; all of them for a number that was never given, as after a restart.
    func lines(after number: Int, limit: Int) -> [Line] {
        state.withLock { state in
            let start = number > state.count ? 0 : number
            return Array(state.lines.drop { $0.number <= start }.prefix(limit))
        }
    }
}

/// Reads one pipe of a plugin into its log, line by line, until the plugin's end closes.
final class OutputCapture: Sendable {
    private struct State {
        var partial: [UInt8] = []
        /// The rest of a line that was too long is not kept.
        var skipsRest = false
        var ticket: UInt64 = 0
        var isOpen = true
        var isFirst = true
    }
    private let state = Mutex(State())
    private let descriptor: Int32
    private let poller: DescriptorPoller
    private let source: String
    private let instance: String?
    private let log: PluginLog
    private let first: (@Sendable (ArraySlice<UInt8>) -> Void)?

    /// Takes over the reading end of a pipe.
    ///
    /// - Parameter first: gets what is read first, once.
    init(
        descriptor: Int32, source: String, instance: String? = nil, log: PluginLog, poller: DescriptorPoller,
        first: (@Sendable (ArraySlice<UInt8>) -> Void)? = nil
    ) {
        self.first = first
        self.descriptor = descriptor
        self.source = source
        self.instance = instance
        self.log = log
        self.poller = poller
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        state.withLock { $0.ticket = poller.watch(descriptor) { [self] _, _ in read() } }
    }

    deinit { Glibc.close(descriptor) }

    func stop() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            poller.forget(descriptor, state.ticket)
        }
    }

    private func tellFirst(_ bytes: ArraySlice<UInt8>) {
        let isFirst = state.withLock { state in
            defer { state.isFirst = false }
            return state.isFirst
        }
        if isFirst { first?(bytes) }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        if count > 0 { tellFirst(buffer[..<count]) }
        let lines: [[UInt8]] = state.withLock { state in
            state.partial.append(contentsOf: buffer.prefix(max(count, 0)))
            var lines = state.partial.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
            state.partial = lines.popLast() ?? []
            if state.skipsRest, !lines.isEmpty {
                lines.removeFirst()
                state.skipsRest = false
            }
            if state.skipsRest {
                state.partial = []
            } else if count <= 0 || state.partial.count > HostLimits.rawLineBytes {
                if !state.partial.isEmpty { lines.append(state.partial) }
                state.skipsRest = count > 0
                state.partial = []
            }
            return lines
        }
        for line in lines { log.add(source, String(decoding: line, as: UTF8.self), instance: instance) }
        if count <= 0 { stop() }
    }
}

extension Message.Progress {
    /// As a line of the plugin's log.
    func record(of tool: String) -> Message.LogRecord {
        let share = total.map { "\(done) of \($0)" } ?? "\(done)"
        return Message.LogRecord(level: .debug, message: "\(tool): \(share)\(message.map { ", \($0)" } ?? "")")
    }
}
