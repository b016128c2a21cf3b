// What crosses here: frames from a plugin that nobody trusts. SessionCore judges them; this shell owns the socket, the
// waiting callers and nothing else.
internal import Glibc
internal import JSONBytes
internal import PluginABI
internal import Synchronization

/// The host's end of one plugin's socket.
final class PluginSession: Sendable {
    typealias Answer = Result<Message.Payload, HostError>

    struct Callbacks: Sendable {
        /// With the request on whose behalf, if any; as for a diagnosis.
        var log: @Sendable (Message.LogRecord, String?) -> Void
        /// The plugin's author made a mistake.
        var diagnose: @Sendable (Diagnosis, String?) -> Void
        var services: any HostServices
        /// The plugin closed its socket: find out why it went. The answer is the cause that callers are given.
        var explainEnd: @Sendable () async -> HostError
        /// The conversation is over; called once.
        var ended: @Sendable (HostError) -> Void
        var meter: InstanceMeter?
    }

    private struct State {
        var core: SessionCore
        var calls: [UInt64: CheckedContinuation<Answer, Never>] = [:]
        var hostCalls: [UInt64: Task<Void, Never>] = [:]
        var steps: [(state: LifecycleState, waiter: CheckedContinuation<HostError?, Never>)] = []
        var unsent = Outbox()
        var ticket: UInt64 = 0
        var awaitsRoom = false
        /// How often something was received.
        var heard: UInt64 = 0
        var end: HostError?
        var health = HealthCheck()
        var isWatched = false
    }

    private let state: Mutex<State>
    private let descriptor: Int32
    private let poller: DescriptorPoller
    private let callbacks: Callbacks
    private let plugin: String

    /// Takes over the descriptor of a connected socket.
    init(plugin: String, descriptor: Int32, poller: DescriptorPoller, callbacks: Callbacks) {
        self.plugin = plugin
        self.descriptor = descriptor
        self.poller = poller
        self.callbacks = callbacks
        state = Mutex(State(core: SessionCore(plugin: plugin)))
    }

    deinit { close(descriptor) }

    func open() {
        state.withLock { state in
            state.ticket = poller.watch(descriptor) { [self] interest in
                if interest.contains(.readable) { read() }
                if interest.contains(.writable) { self.state.withLock { flush(&$0) } }
            }
        }
    }

    /// The versions that the plugin offered in its hello.
    var offeredVersions: VersionRange? { state.withLock { $0.core.offeredVersions } }

    var lateFrames: Int { state.withLock { $0.core.lateFrames } }

    /// Why the conversation is over; nil while it lasts.
    var cause: HostError? { state.withLock { $0.end } }

    // MARK: lifecycle

    /// Sends a lifecycle message, if any, and waits until the plugin has reached `target`.
    ///
    /// - Throws: `HostError` with the recorded cause if the session ends first or the deadline passes.
    func step(_ message: Message?, to target: LifecycleState, milliseconds: UInt64) async throws(HostError) {
        let timer = Task { [self] in
            try await Task.sleep(for: .milliseconds(milliseconds))
            guard state.withLock({ $0.steps.contains { $0.state == target } }) else { return }
            fail(
                HostError(
                    .deadlineExceeded, "the plugin \(plugin) was not \(target.rawValue) within \(milliseconds) ms"))
        }
        defer { timer.cancel() }
        let failure: HostError? = await withCheckedContinuation { waiter in
            let immediate: HostError?? = state.withLock { state in
                if let end = state.end { return .some(end) }
                if let message {
                    if let refusal = post(message, stream: 0, &state) { return .some(refusal) }
                }
                if state.core.lifecycle.state == target { return .some(nil) }
                state.steps.append((target, waiter))
                return nil
            }
            if let immediate { waiter.resume(returning: immediate) }
        }
        if let failure { throw failure }
    }

    /// Sends a frame that the lifecycle table must allow.
    private func post(_ message: Message, stream: UInt64, _ state: inout State) -> HostError? {
        do {
            try state.core.send(message.kind)
        } catch {
            return HostError(.pluginFailed, "the plugin \(plugin) cannot take this step: \(error.message)")
        }
        transmit(message.frame(stream: stream).encoded(), &state)
        return nil
    }

    /// The call that the plugin must be working on; nil where there are none or several.
    var onlyCall: CallContext? { state.withLock { $0.core.onlyCall } }

    // MARK: calls

    /// Makes a call and waits for its terminal frame, its deadline, or the end of the session, whichever is first.
    func call(_ call: Message.Call, in context: CallContext) async -> Answer {
        let opened: Mutex<UInt64?> = Mutex(nil)
        let timer: Mutex<Task<Void, any Error>?> = Mutex(nil)
        defer { timer.withLock { $0?.cancel() } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let immediate: HostError? = state.withLock { state in
                    if let end = state.end { return end }
                    do throws(ABIError) {
                        let stream = try state.core.openCall(context)
                        opened.withLock { $0 = stream }
                        state.calls[stream] = waiter
                        var frame = Message.call(call).frame(stream: stream)
                        transmit(frame.encoded(), &state)
                        frame.body.wipe()
                        watch(&state)
                        return nil
                    } catch {
                        return HostError(
                            .pluginFailed, "the plugin \(plugin) takes no calls: \(error.message)", retryable: true)
                    }
                }
                if let immediate {
                    waiter.resume(returning: .failure(immediate))
                    return
                }
                // Only now: a deadline that had passed already would find no stream to abandon.
                timer.withLock { $0 = expire(opened.withLock { $0 }, call.deadline, context) }
                if Task.isCancelled {
                    abandon(opened.withLock { $0 }, Self.cancelled)
                }
            }
        } onCancel: {
            abandon(opened.withLock { $0 }, Self.cancelled)
        }
    }

    private func expire(_ stream: UInt64?, _ deadline: UInt64, _ context: CallContext) -> Task<Void, any Error> {
        Task { [self] in
            let now = Clock.unixMilliseconds()
            try await Task.sleep(for: .milliseconds(deadline > now ? deadline - now : 0))
            let heard = state.withLock { $0.heard }
            let diagnosis = Diagnosis.unanswered(context.tool)
            if abandon(stream, HostError(.deadlineExceeded, diagnosis.forCaller, retryable: true)) {
                callbacks.diagnose(diagnosis, context.requestID)
            }
            reply(.ping(nonce: deadline), stream: 0)
            // Of its own, because the caller's answer ends this one.
            Task { await self.failIfSilent(since: heard) }
        }
    }

    /// A plugin that has missed a deadline and then answers neither the cancel nor a ping is dead, whatever its process
    /// does.
    private func failIfSilent(since heard: UInt64) async {
        try? await Task.sleep(for: .milliseconds(HostLimits.silenceMilliseconds))
        guard state.withLock({ $0.heard == heard && $0.end == nil }) else { return }
        let diagnosis = Diagnosis.silent(HostLimits.silenceMilliseconds)
        callbacks.diagnose(diagnosis, nil)
        fail(HostError(.deadlineExceeded, "the plugin \(plugin) failed: \(diagnosis.forCaller)", retryable: true))
    }

    /// Pings the plugin as long as calls are open, so that one that does not read is found out before a deadline.
    private func watch(_ state: inout State) {
        guard !state.isWatched else { return }
        state.isWatched = true
        Task { [weak self] in
            repeat { try await Task.sleep(for: .milliseconds(HostLimits.pingMilliseconds)) } while self?.check() == true
        }
    }

    /// Whether to go on.
    private func check() -> Bool {
        let diagnosis: Diagnosis?? = state.withLock { state in
            guard state.end == nil, state.core.hasOpenCalls else {
                state.isWatched = false
                state.health = HealthCheck()
                return nil
            }
            switch state.health.tick(now: Clock.unixMilliseconds()) {
            case .wait: break
            case .ping(let nonce): transmit(Message.ping(nonce: nonce).frame().encoded(), &state)
            case .blocked(let milliseconds): return .some(.blocksItsLoop(milliseconds))
            }
            return .some(nil)
        }
        if case .some(let mistake?) = diagnosis { callbacks.diagnose(mistake, nil) }
        return diagnosis != nil
    }

    private static let cancelled = HostError(HostError.Code("cancelled"), "the caller cancelled the call")

    /// - Returns: false if the call had ended already.
    @discardableResult
    private func abandon(_ stream: UInt64?, _ error: HostError) -> Bool {
        guard let stream else { return false }
        let waiter = state.withLock { state in
            guard state.core.abandon(stream) else { return nil as CheckedContinuation<Answer, Never>? }
            for child in state.core.hostCalls(of: stream) { state.hostCalls[child]?.cancel() }
            transmit(Message.cancel(reason: error.code.rawValue).frame(stream: stream).encoded(), &state)
            return state.calls.removeValue(forKey: stream)
        }
        waiter?.resume(returning: .failure(error))
        return waiter != nil
    }

    // MARK: reading

    private func read() {
        var buffer = [UInt8](repeating: 0, count: HostLimits.readBytes)
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            state.withLock { poller.forget(descriptor, $0.ticket) }
            Task { fail(await callbacks.explainEnd()) }
            return
        }
        let effects = state.withLock { state in
            state.heard += 1
            defer { callbacks.meter?.received(count, lateFrames: state.core.lateFrames) }
            return state.end == nil ? state.core.receive(buffer[..<count]) : []
        }
        buffer.wipe()
        for effect in effects { perform(effect) }
    }

    private func perform(_ effect: SessionCore.Effect) {
        switch effect {
        case .entered(let reached):
            let waiters = state.withLock { state in
                let due = state.steps.filter { $0.state == reached }.map(\.waiter)
                state.steps.removeAll { $0.state == reached }
                return due
            }
            for waiter in waiters { waiter.resume(returning: nil) }
        case .answer(let stream, let result):
            state.withLock { $0.calls.removeValue(forKey: stream) }?.resume(returning: result)
        case .perform(let stream, let call, let context): perform(call, stream: stream, context)
        case .cancelHostCall(let stream): state.withLock { $0.hostCalls[stream] }?.cancel()
        case .refuseHostCall(let stream, let error):
            reply(.error(error, retryable: error.code == .unavailable), stream: stream)
        case .log(let record, let request): callbacks.log(record, request)
        case .pong(let nonce): reply(.pong(nonce: nonce), stream: 0)
        case .heardPong(let nonce): state.withLock { $0.health.heard(nonce) }
        case .progress(_, let context, let progress):
            callbacks.log(progress.record(of: context.tool), context.requestID)
        case .grant(let stream, let bytes): reply(.credit(bytes: bytes), stream: stream)
        case .cancelCall(let stream, let reason): reply(.cancel(reason: reason), stream: stream)
        case .diagnosis(let diagnosis, let request): callbacks.diagnose(diagnosis, request)
        case .failed(let error):
            reply(.abort(error), stream: 0)
            let diagnosis = Diagnosis.violation(error)
            callbacks.diagnose(diagnosis, nil)
            fail(HostError(.pluginFailed, "the plugin \(plugin) broke the protocol: \(diagnosis.forCaller)"))
        }
    }

    private func perform(_ call: Message.HostCall, stream: UInt64, _ context: CallContext) {
        // Started under the lock, so that a task that ends at once has its entry to remove.
        state.withLock { if $0.end == nil { $0.hostCalls[stream] = serve(call, stream: stream, context) } }
    }

    private func serve(_ call: Message.HostCall, stream: UInt64, _ context: CallContext) -> Task<Void, Never> {
        Task { [self] in
            let reply: Message
            do throws(ABIError) {
                reply = .result(try await callbacks.services.perform(call, in: context))
            } catch {
                reply = .error(error, retryable: callbacks.services.isRetryable(error, of: call))
            }
            let isOpen = state.withLock { state in
                state.hostCalls[stream] = nil
                return state.end == nil && state.core.closeHostCall(stream)
            }
            if isOpen { self.reply(reply, stream: stream) }
        }
    }

    private func reply(_ message: Message, stream: UInt64) {
        state.withLock { state in
            if state.end == nil { transmit(message.frame(stream: stream).encoded(), &state) }
        }
    }

    // MARK: writing

    /// Sends what the socket takes now; the rest waits for it, up to a limit.
    private func transmit(_ bytes: consuming [UInt8], _ state: inout State) {
        guard state.unsent.byteCount + bytes.count <= HostLimits.unsentBytes else {
            Task { self.fail(HostError(.pluginFailed, "the plugin \(self.plugin) does not read what it is sent")) }
            return
        }
        callbacks.meter?.sent(bytes.count)
        state.unsent.append(bytes)
        flush(&state)
    }

    private func flush(_ state: inout State) {
        guard state.end == nil else { return }
        state.unsent.drain { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL)) }
        guard state.awaitsRoom == state.unsent.isEmpty else { return }
        state.awaitsRoom.toggle()
        poller.change(descriptor, state.ticket, to: state.awaitsRoom ? [.readable, .writable] : .readable)
    }

    // MARK: the end

    /// Ends the session with a cause. Every waiting caller gets it; later calls get it too.
    func fail(_ cause: HostError) {
        let waiting: State? = state.withLock { state in
            guard state.end == nil else { return nil }
            state.end = cause
            state.core.fail()
            state.unsent.wipe()
            poller.forget(descriptor, state.ticket)
            shutdown(descriptor, Int32(SHUT_RDWR))
            let copy = state
            state.calls = [:]
            state.steps = []
            state.hostCalls = [:]
            return copy
        }
        guard let waiting else { return }
        callbacks.ended(cause)
        for task in waiting.hostCalls.values { task.cancel() }
        for step in waiting.steps { step.waiter.resume(returning: cause) }
        for waiter in waiting.calls.values { waiter.resume(returning: .failure(cause)) }
    }
}

extension Message.Progress {
    /// As a line of the plugin's log.
    fileprivate func record(of tool: String) -> Message.LogRecord {
        let share = total.map { "\(done) of \($0)" } ?? "\(done)"
        return Message.LogRecord(level: .debug, message: "\(tool): \(share)\(message.map { ", \($0)" } ?? "")")
    }
}
