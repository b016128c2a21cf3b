internal import Glibc
internal import JSONBytes
internal import Synchronization

/// The last lines that a plugin said outside the protocol: stdout, stderr and log frames.
public final class PluginLog: Sendable {
    private struct State {
        var lines: [String] = []
        var second = 0
        var inSecond = 0
        var dropped = 0
    }
    private let state = Mutex(State())
    private let sink: @Sendable (String) -> Void
    /// What this plugin was lent, over all its instances.
    let redactor = Redactor()

    private let now: @Sendable () -> Int

    init(now: @escaping @Sendable () -> Int = Clock.unixSeconds, sink: @escaping @Sendable (String) -> Void) {
        self.now = now
        self.sink = sink
    }

    /// Keeps one line, made safe to print: no secrets, cut to length, control characters shown as escapes.
    func add(_ source: String, _ text: String) {
        guard let dropped = admit() else { return }
        if dropped > 0 {
            keep("nexusd: \(dropped) lines were dropped; the limit is \(HostLimits.logLinesPerSecond) a second")
        }
        // Redacted before it is cut: half a secret would not be recognised.
        keep("\(source): \(redactor.redact(text).cut(to: HostLimits.logLineBytes).printable)")
    }

    private func keep(_ line: String) {
        state.withLock { state in
            state.lines.append(line)
            if state.lines.count > HostLimits.keptLogLines { state.lines.removeFirst() }
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

    public func recent(_ count: Int) -> [String] { state.withLock { Array($0.lines.suffix(count)) } }
}

/// Reads one pipe of a plugin into its log, line by line, until the plugin's end closes.
final class OutputCapture: Sendable {
    private struct State {
        var partial: [UInt8] = []
        /// The rest of a line that was too long is not kept.
        var skipsRest = false
        var ticket: UInt64 = 0
        var isOpen = true
    }
    private let state = Mutex(State())
    private let descriptor: Int32
    private let poller: DescriptorPoller
    private let source: String
    private let log: PluginLog

    /// Takes over the reading end of a pipe.
    init(descriptor: Int32, source: String, log: PluginLog, poller: DescriptorPoller) {
        self.descriptor = descriptor
        self.source = source
        self.log = log
        self.poller = poller
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        state.withLock { $0.ticket = poller.watch(descriptor) { [self] _ in read() } }
    }

    deinit { Glibc.close(descriptor) }

    func stop() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            poller.forget(descriptor, state.ticket)
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
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
        for line in lines { log.add(source, String(decoding: line, as: UTF8.self)) }
        if count <= 0 { stop() }
    }
}
