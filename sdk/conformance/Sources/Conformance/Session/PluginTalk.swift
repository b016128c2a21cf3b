// One conversation with one fresh process: the kit is the host. What the plugin says is kept as counts and kinds and
// held to the rules that hold everywhere; what a check makes of it is the check's business.
internal import Glibc
internal import PluginABI

/// How a call ended.
enum CallEnd {
    case result(Message.Payload)
    case error(ABIError, retryable: Bool)
    case cancelled
}

/// A call that the kit opened.
struct OpenedCall {
    var tool: String
    var ends: [CallEnd] = []
    var dataBytes = 0
    var credit = ABILimits.initialCreditBytes
    var progressCount = 0
    /// The last bytes of data, in case that a credential is cut in two.
    var dataTail: [UInt8] = []
}

/// What the kit does with a plugin's host calls.
enum HostCallPolicy { case deny, ignore, cancel }

final class PluginTalk {
    let limits: KitLimits
    let notes: Notes
    let plan: CallPlan
    private let started: StartedProgram
    private var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
    var lifecycle = Lifecycle()
    var transcript: [String] = []

    // What came.
    var offered: VersionRange?
    var pongs: [UInt64] = []
    /// Nonces of pings without a pong so far.
    var openPings: [UInt64] = []
    var calls: [UInt64: OpenedCall] = [:]
    var openHostCalls: Set<UInt64> = []
    var lastHostCall: UInt64 = 0
    var hostCallCount = 0
    var stateAborted: ABIError?
    var logCount = 0
    private(set) var isClosed = false
    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    /// The rule by whose breach the conversation ended.
    private(set) var broken: (requirement: String, why: String, fix: String)?

    /// The kit has broken a rule on purpose: from here on only the plugin's answer to that counts.
    private(set) var isProvoked = false
    /// Kinds that may still come after what it must refuse: what was under way before.
    var stillComing: Set<FrameKind> = [.log, .data, .progress, .hostCall]
    /// It has answered what it had to refuse.
    var tookItForGood = false
    /// The longest body that the plugin may send.
    var bodyLimit = ABILimits.handshakeBodyBytes

    // What the kit does by itself.
    var hostCallPolicy = HostCallPolicy.deny
    var grantsCredit = true
    var canaries: [[UInt8]] = []
    var nextStream: UInt64 = 1
    var cutsFrames = false
    var addsUnknownFields = false
    /// Frames are kept until `release`, to arrive in one piece.
    var holdsFrames = false
    private var held: [UInt8] = []

    init(_ started: StartedProgram, plan: CallPlan, limits: KitLimits, notes: Notes) {
        self.started = started
        self.plan = plan
        self.limits = limits
        self.notes = notes
    }

    /// Ends the process, whatever it does.
    func finish() {
        readOutput()
        started.program.kill()
        for descriptor in [started.channel, started.output, started.errors] { close(descriptor) }
        for (name, bytes) in [("stdout", output), ("stderr", errors)] where holdsCanary(bytes) {
            noteLeak(where: name)
        }
    }

    // MARK: Sending

    /// Sends a frame that the protocol allows here, and keeps the state.
    func send(_ message: Message, on stream: UInt64 = 0) {
        _ = try? lifecycle.advance(on: message.kind, stream: stream, from: .host)
        if case .ping(let nonce) = message { openPings.append(nonce) }
        var frame = message.frame(stream: stream)
        remember("host \(frame.kind)", stream)
        // Tag 0x0377, which no message of version 1 has.
        if addsUnknownFields { frame.body += [0x77, 0x03, 6, 0, 0, 0] + Array("future".utf8) }
        if holdsFrames { held += frame.encoded() } else { send(raw: frame.encoded(), cut: cutsFrames) }
        frame.body.wipe()
    }

    /// Sends what was held, at once.
    func release() {
        holdsFrames = false
        send(raw: held)
        held = []
    }

    /// Sends what no host may send.
    func provoke(_ bytes: [UInt8], as what: String) {
        remember("host \(what)", 0)
        isProvoked = true
        send(raw: bytes)
    }

    /// Sends bytes as they are. While the plugin does not read them, what it says is read (ABI-3.4).
    func send(raw bytes: [UInt8], cut: Bool = false) {
        var sent = 0
        let deadline = KitClock.monotonic() + limits.patience
        while sent < bytes.count, !isClosed, KitClock.monotonic() < deadline {
            let length = cut ? 1 : bytes.count - sent
            let count = bytes.withUnsafeBytes {
                Glibc.send(started.channel, $0.baseAddress?.advanced(by: sent), length, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                if cut { usleep(100) }
            } else if errno == EAGAIN {
                poll(milliseconds: 10)
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Hangs up in both directions: the plugin reads end of file, and its writes fail with EPIPE.
    func hangUp() {
        remember("host hangs up", 0)
        shutdown(started.channel, Int32(SHUT_RDWR))
        isClosed = true
    }

    // MARK: Waiting

    /// Reads what comes until `condition` holds.
    ///
    /// - Returns: false if the time is over or the plugin hung up first.
    /// - Throws: `unreachable` when the plugin broke a rule that ends a session.
    func wait(_ milliseconds: Int, until condition: () -> Bool) throws(CheckStop) -> Bool {
        let deadline = KitClock.monotonic() + milliseconds
        while true {
            if condition() { return true }
            if let broken {
                throw .unreachable(requirement: broken.requirement, why: broken.why, remedy: broken.fix)
            }
            let left = deadline - KitClock.monotonic()
            guard left > 0, !isClosed else { return condition() }
            poll(milliseconds: min(left, 100))
        }
    }

    /// Reads for a while what comes of its own accord.
    func listen(_ milliseconds: Int) throws(CheckStop) { _ = try wait(milliseconds) { false } }

    /// How the program ended, if it does within the time.
    func programEnd(within milliseconds: Int) -> ProgramEnd? {
        let deadline = KitClock.monotonic() + milliseconds
        while true {
            if let end = started.program.end() { return end }
            if KitClock.monotonic() >= deadline { return nil }
            if isClosed {
                readOutput()
                KitClock.sleep(milliseconds: 2)
            } else {
                poll(milliseconds: 2)
            }
        }
    }

    /// What the plugin did instead of what was awaited, for messages.
    var found: String {
        if let abort = stateAborted { return "it sent abort \(abort.code): \(abort.message.prefix(200))" }
        if let end = programEnd(within: isClosed ? 200 : 0) { return "it \(end)\(lastWords)" }
        if isProvoked, let last = transcript.last, last.hasPrefix("plugin ") { return "\(last) came instead" }
        return isClosed ? "it closed its connection" : "nothing of that came"
    }

    /// The end of stderr, which often says why.
    var lastWords: String {
        let lines = String(decoding: errors.suffix(2_000), as: UTF8.self).split(separator: "\n")
        return lines.last.map { " (stderr: \($0.suffix(200)))" } ?? ""
    }

    private func poll(milliseconds: Int) {
        var set = [
            pollfd(fd: started.channel, events: Int16(POLLIN), revents: 0),
            pollfd(fd: started.output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: started.errors, events: Int16(POLLIN), revents: 0),
        ]
        // A closed pipe is always ready: it must not turn the wait into a spin.
        if outputEnded { set[1].fd = -1 }
        if errorsEnded { set[2].fd = -1 }
        guard Glibc.poll(&set, 3, Int32(milliseconds)) > 0 else { return }
        if set[1].revents != 0 || set[2].revents != 0 { readOutput() }
        if set[0].revents != 0 { readChannel() }
    }

    private var outputEnded = false
    private var errorsEnded = false

    private func readOutput() {
        if !outputEnded { outputEnded = Self.drain(started.output, into: &output) }
        if !errorsEnded { errorsEnded = Self.drain(started.errors, into: &errors) }
    }

    /// Reads what is there; true at the end of file. Keeps the first megabyte.
    private static func drain(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                if bytes.count < 1 << 20 { bytes += buffer.prefix(count) }
            } else {
                return count == 0
            }
        }
    }

    private func readChannel() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(started.channel, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            isClosed = true
            return
        }
        guard broken == nil else { return }
        decoder.append(buffer[..<count])
        do throws(ABIError) {
            while broken == nil, let frame = try decoder.next() { take(frame) }
        } catch  where error.code == .malformedFrame && offered != nil {
            end(
                Rule.headers, "a header of the plugin is refused: \(error.message)",
                fix: "write 0 into the flags and reserved bytes of each header")
        } catch {
            end(
                Rule.onlyFrames, "bytes on descriptor 3 are no frame: \(error.message)",
                fix: "write nothing but frames to descriptor 3, whole and one after the other")
        }
    }

    /// Notes a breach that ends the conversation.
    func end(_ requirement: String, _ why: String, fix: String) {
        note(requirement, why, fix: fix)
        if broken == nil { broken = (requirement, why, fix) }
    }

    func note(_ requirement: String, _ why: String, fix: String) {
        notes.add(requirement, why, fix: fix, transcript: recent)
    }

    func remember(_ what: String, _ stream: UInt64) {
        transcript.append(stream == 0 ? what : "\(what) \(stream)")
    }

    /// The last frames, by kind and stream.
    var recent: [String] { Array(transcript.suffix(12)) }
}
