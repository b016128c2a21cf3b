// The host's end of the filter of one jail. What crosses: registers of a call come in, an errno goes out. The program
// waits meanwhile, so whoever asks often is the one who pays; and it dies with its jail, waiting or not, because the
// kernel ends the wait for a fatal signal, and answers ENOSYS by itself where nobody holds the listener any more.
import CJail
import Glibc
import Synchronization

final class JailListener: Sendable {
    /// What a listener is there for.
    enum Purpose: Sendable {
        /// Every call that comes is refused, but for those that name a file and are allowed: with path rules they are
        /// looked at, and go on.
        case denials(DenialRules, PathRules? = nil)
        /// Every call that comes is counted, and answered as the profile's filter answers it.
        case recording(CallRecorder)
    }
    /// What the monitor does with the descriptor next.
    enum Next: Equatable {
        case watch
        /// Not before then: calls wait in the kernel.
        case pause(until: ContinuousClock.Instant)
        /// Every process under the filter is gone.
        case over
    }
    private struct State {
        var descriptor: Int32
        var gate: DenialGate
        /// What was said of paths.
        var said: Set<String> = []
    }
    /// How many calls one turn takes, so that no jail keeps the others waiting.
    private static let turn = 16

    private let state: Mutex<State>
    private let purpose: Purpose
    private let tell: @Sendable (JailDenial) -> Void

    /// Takes the descriptor over. Nil, and closed, if it is not a filter's listener.
    init?(descriptor: Int32, purpose: Purpose, tell: @escaping @Sendable (JailDenial) -> Void) {
        guard cjail_listener_check(descriptor) == 1 else {
            Glibc.close(descriptor)
            return nil
        }
        state = Mutex(State(descriptor: descriptor, gate: DenialGate(now: .now)))
        self.purpose = purpose
        self.tell = tell
    }

    deinit { close() }

    /// Borrowed by the monitor, which stops watching before this closes.
    var descriptor: Int32 { state.withLock { $0.descriptor } }

    /// Answers some of the calls that wait. Called by the monitor's thread alone, and never blocks.
    func serve() -> Next {
        state.withLock { state in
            guard state.descriptor >= 0 else { return .over }
            switch purpose {
            case .denials(let rules, nil): return refuse(rules, &state)
            case .denials(let rules, let paths?): return show(paths, rules, &state)
            case .recording(let recorder): return record(recorder, state.descriptor)
            }
        }
    }

    private func refuse(_ rules: DenialRules, _ state: inout State) -> Next {
        for _ in 0..<Self.turn {
            let now = ContinuousClock.now
            if let later = state.gate.admit(now: now) { return .pause(until: later) }
            var call = cjail_call()
            let taken = cjail_listener_take(state.descriptor, &call)
            guard taken == 1 else { return taken < 0 ? .over : .watch }
            refuse(call, rules, &state, now)
        }
        return .watch
    }

    private func refuse(_ call: cjail_call, _ rules: DenialRules, _ state: inout State, _ now: ContinuousClock.Instant)
    {
        let denial = rules.denial(call.data, processID: call.pid, time: Self.time())
        // Told before it is answered: what the program does next cannot be known before it.
        if let event = state.gate.refused(denial, now: now) { tell(event) }
        // ENOENT: the caller died waiting. It asked all the same.
        _ = cjail_listener_refuse(state.descriptor, call.id, DenialRules.answer)
    }

    /// The rate is for refused calls only: one that names a file is no offence.
    private func show(_ paths: PathRules, _ rules: DenialRules, _ state: inout State) -> Next {
        for _ in 0..<Self.turn {
            var call = cjail_call()
            let taken = cjail_listener_take(state.descriptor, &call)
            guard taken == 1 else { return taken < 0 ? .over : .watch }
            if let known = paths.isShown(call.data) {
                if state.said.count < PathRules.mostPaths, let denial = look(known, call, paths, state.descriptor),
                    state.said.insert(denial.detail).inserted
                {
                    tell(denial)
                }
                _ = cjail_listener_continue_allowed(state.descriptor, call.id)
                continue
            }
            let now = ContinuousClock.now
            let later = state.gate.admit(now: now)
            refuse(call, rules, &state, now)
            if let later { return .pause(until: later) }
        }
        return .watch
    }

    private func look(_ known: PathCall, _ call: cjail_call, _ rules: PathRules, _ descriptor: Int32) -> JailDenial? {
        var call = call
        let read = { (body: (UnsafeMutablePointer<CChar>, Int) -> Int) -> Result<String, DenialErrno> in
            var bytes = [CChar](repeating: 0, count: 4096)
            let length = bytes.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { body($0, buffer.count) } ?? -Int(EFAULT)
            }
            guard length >= 0 else { return .failure(DenialErrno(number: Int32(-length))) }
            return .success(String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        let registers = call.data
        switch read({ cjail_listener_path(descriptor, &call, Int32(known.path), $0, $1) }) {
        case .success(let path) where path.hasPrefix("/"):
            return rules.denial(known, registers, path: path, processID: call.pid, time: Self.time())
        case .success(let path) where !path.isEmpty:
            let start = known.directory.map { Int32(truncatingIfNeeded: registers.arguments[$0]) } ?? AT_FDCWD
            let directory = read { cjail_listener_directory(descriptor, &call, start, $0, $1) }
            // A descriptor of something else than a directory has no path.
            guard case .success(let place) = directory, place.hasPrefix("/") else { return nil }
            return rules.denial(known, registers, path: "\(place)/\(path)", processID: call.pid, time: Self.time())
        case .failure(let error) where [EACCES, EPERM].contains(error.number):
            return rules.unreadable(known, registers, error: error.number, processID: call.pid, time: Self.time())
        case .success, .failure:
            return nil
        }
    }

    private func record(_ recorder: CallRecorder, _ descriptor: Int32) -> Next {
        for _ in 0..<Self.turn {
            var call = cjail_call()
            let taken = cjail_listener_take(descriptor, &call)
            guard taken == 1 else { return taken < 0 ? .over : .watch }
            switch recorder.record(call.data) {
            case .allow: _ = cjail_listener_continue_allowed(descriptor, call.id)
            case .refuse(let number): _ = cjail_listener_refuse(descriptor, call.id, number)
            case .report, .watch, .kill: _ = cjail_listener_refuse(descriptor, call.id, DenialRules.answer)
            }
        }
        return .watch
    }

    /// Says what was held back, as far as the rate allows.
    func flush() {
        state.withLock { state in
            guard state.gate.holdsBack else { return }
            for event in state.gate.flush(now: .now) { tell(event) }
        }
    }

    /// Says the rest and lets go: a call that still waits is answered ENOSYS by the kernel.
    func close() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            Glibc.close(state.descriptor)
            state.descriptor = -1
            for event in state.gate.flush(now: .now, last: true) { tell(event) }
        }
    }

    private static func time() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}

/// Why something of a waiting caller could not be read.
private struct DenialErrno: Error { var number: Int32 }

extension cjail_call {
    fileprivate var data: CallData {
        CallData(
            number: UInt32(bitPattern: number), architecture: architecture,
            arguments: [arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5])
    }
}
