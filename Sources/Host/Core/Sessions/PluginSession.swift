// What crosses here: frames from a plugin that nobody trusts. SessionCore judges them; this shell owns the socket, the
// waiting callers and nothing else.
internal import CJail
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
        /// What the conversation left behind; called once, before anybody can see that it is over, so within the
        /// session's lock.
        var left: @Sendable (SessionRemains) -> Void = { _ in }
        /// The conversation is over; called once.
        var ended: @Sendable (HostError) -> Void
        var meter: InstanceMeter?
    }

    struct State {
        var core: SessionCore
        var calls = OpenCalls<CheckedContinuation<Answer, Never>>()
        /// Wakes at the first deadline of a call, or before; there is one for all of them.
        var alarm: (due: UInt64, timer: DescriptorPoller.Timer)?
        var hostCalls: [UInt64: Task<Void, Never>] = [:]
        var steps: [(state: LifecycleState, waiter: CheckedContinuation<HostError?, Never>)] = []
        var unsent = Outbox()
        var ticket: UInt64 = 0
        var awaitsRoom = false
        /// What is unsent goes out at the end of the poller's turn.
        var isFlushDue = false
        /// How often something was received.
        var heard: UInt64 = 0
        var end: HostError?
        var health = HealthCheck()
        /// Who waits for the answer to a ping of its own, by nonce.
        var pings: [UInt64: CheckedContinuation<HostError?, Never>] = [:]
    }

    let state: Mutex<State>
    private let callCount = Atomic<UInt64>(0)
    private let descriptor: Int32
    /// What has not come of the frame under way; only the poller's thread changes it.
    private let awaitedBytes = Atomic<Int>(0)
    let poller: DescriptorPoller
    let callbacks: Callbacks
    let plugin: String

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
            state.ticket = poller.watch(descriptor) { [self] interest, room in
                if interest.contains(.readable) { read(into: room) }
                if interest.contains(.writable) { self.state.withLock { flush(&$0, gatheredIn: room) } }
            }
        }
        poller.health.watch(self)
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
        let timer = poller.timer(afterMilliseconds: milliseconds) { [self] in
            guard state.withLock({ $0.steps.contains { $0.state == target } }) else { return }
            fail(
                HostError(
                    .deadlineExceeded, "the plugin \(plugin) was not \(target.rawValue) within \(milliseconds) ms"))
        }
        defer { poller.cancel(timer) }
        let failure: HostError? = await withCheckedContinuation { waiter in
            let immediate: HostError?? = state.withLock { state in
                if let end = state.end { return .some(end) }
                // What was received has ended the session: the cause is about to be told.
                if state.core.lifecycle.state == .failed {
                    state.steps.append((target, waiter))
                    return nil
                }
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
        transmit(message.encoded(stream: stream), &state)
        return nil
    }

    /// Asks whether the plugin reads and answers now.
    ///
    /// - Throws: `deadlineExceeded`, or why the session has ended.
    func ping(milliseconds: UInt64) async throws(HostError) {
        let nonce = UInt64.random(in: 1 << 62..<1 << 63)
        let timer = Task { [self] in
            try await Task.sleep(for: .milliseconds(milliseconds))
            let late = HostError(.deadlineExceeded, "the plugin \(plugin) answered no ping within \(milliseconds) ms")
            state.withLock { $0.pings.removeValue(forKey: nonce) }?.resume(returning: late)
        }
        defer { timer.cancel() }
        let failure: HostError? = await withCheckedContinuation { waiter in
            let end = state.withLock { state in
                if state.end == nil {
                    state.pings[nonce] = waiter
                    transmit(Message.ping(nonce: nonce).encoded(), &state)
                }
                return state.end
            }
            if let end { waiter.resume(returning: end) }
        }
        if let failure { throw failure }
    }

    /// The call that the plugin must be working on; nil where there are none or several.
    var onlyCall: CallContext? { state.withLock { $0.core.onlyCall } }

    // MARK: calls

    /// Makes a call and waits for its terminal frame, its deadline, or the end of the session, whichever is first. The
    /// caller's executor runs it: one that prefers the poller has its answer without a change of threads.
    nonisolated(nonsending) func call(_ call: Message.Call, in context: CallContext) async -> Answer {
        let number = callCount.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                if let refusal = open(call, context, number, waiter) {
                    waiter.resume(returning: .failure(refusal))
                } else if Task.isCancelled {
                    // Before it was open, the cancellation would not have found it.
                    cancelCall(number)
                }
            }
        } onCancel: {
            cancelCall(number)
        }
    }

    /// Opens a stream, sends the call and keeps `waiter` for its answer; not if there is a reason to refuse it.
    private func open(
        _ call: Message.Call, _ context: CallContext, _ number: UInt64, _ waiter: CheckedContinuation<Answer, Never>
    ) -> HostError? {
        state.withLock { state in
            if let end = state.end { return end }
            do throws(ABIError) {
                let stream = try state.core.openCall(context)
                let due = context.due
                state.calls.add(
                    stream,
                    .init(waiter: waiter, number: number, due: due, deadline: call.deadline))
                wake(at: due, &state)
                connect(context, stream)
                transmit(Message.call(call).encoded(stream: stream), &state)
                return nil
            } catch {
                return HostError(
                    .pluginFailed, "the plugin \(plugin) takes no calls: \(error.message)", retryable: true)
            }
        }
    }

    private func cancelCall(_ number: UInt64) {
        let stream = state.withLock { $0.calls.stream(of: number) }
        if let stream { abandon(stream, HostError(HostError.Code("cancelled"), "the caller cancelled the call")) }
    }

    // MARK: reading

    /// On the poller's thread, in room that it lends.
    private func read(into room: UnsafeMutableRawBufferPointer) {
        if awaitedBytes.load(ordering: .relaxed) >= HostLimits.largeReadBytes { return readOn() }
        let count = recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
        guard hasArrived(count, errno) else { return }
        let effects = state.withLock { state in
            state.heard += 1
            defer { note(count, state) }
            return state.end == nil ? state.core.receive(UnsafeRawBufferPointer(rebasing: room[..<count])) : []
        }
        SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
        for effect in effects { perform(effect) }
    }

    /// The rest of a large frame, to where it will lie.
    private func readOn() {
        var (count, number): (Int, Int32) = (-1, EAGAIN)
        let effects = state.withLock { state in
            guard state.end == nil else { return [] as [SessionCore.Effect] }
            state.heard += 1
            defer { if count > 0 { note(count, state) } }
            return state.core.receive(atMost: HostLimits.readBytes) {
                count = recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
                number = errno
                return count
            }
        }
        guard hasArrived(count, number) else { return }
        for effect in effects { perform(effect) }
    }

    /// Whether recv(2) has given something. At the end of the stream the session ends too.
    private func hasArrived(_ count: Int, _ number: Int32) -> Bool {
        if count > 0 { return true }
        if count < 0, number == EAGAIN || number == EINTR { return false }
        state.withLock { poller.forget(descriptor, $0.ticket) }
        Task { fail(await callbacks.explainEnd()) }
        return false
    }

    private func note(_ count: Int, _ state: borrowing State) {
        awaitedBytes.store(state.core.awaitedBytes, ordering: .relaxed)
        callbacks.meter?.received(count, lateFrames: state.core.lateFrames)
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
            state.withLock { $0.calls.take(stream) }?.resume(returning: result)
        case .perform(let stream, let call, let context): perform(call, stream: stream, context)
        case .cancelHostCall(let stream): state.withLock { $0.hostCalls[stream] }?.cancel()
        case .refuseHostCall(let stream, let error):
            reply(.error(error, retryable: error.code == .unavailable), stream: stream)
        case .log(let record, let request): callbacks.log(record, request)
        case .pong(let nonce): reply(.pong(nonce: nonce), stream: 0)
        case .heardPong(let nonce):
            let waiter = state.withLock { state in
                state.health.heard(nonce)
                return state.pings.removeValue(forKey: nonce)
            }
            waiter?.resume(returning: nil)
        case .progress(_, let context, let progress):
            callbacks.log(progress.record(of: context.tool), context.requestID)
            context.progress?(progress)
        case .grant(let stream, let bytes): reply(.credit(bytes: bytes), stream: stream)
        case .pass(let bytes, let reader): reader.offer(bytes)
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
            var socket: PassedSocket?
            do throws(ServiceFailure) {
                let answer = try await callbacks.services.answer(call, in: context)
                (reply, socket) = (.result(answer.payload), answer.socket)
            } catch {
                reply = .error(error.error, retryable: callbacks.services.isRetryable(error.error, of: call))
            }
            let isOpen = state.withLock { state in
                state.hostCalls[stream] = nil
                return state.end == nil && state.core.closeHostCall(stream)
            }
            if isOpen { self.reply(reply, stream: stream, passing: socket) }
        }
    }

    func reply(_ message: Message, stream: UInt64, passing socket: PassedSocket? = nil) {
        state.withLock { state in
            if state.end == nil { transmit(message.encoded(stream: stream), passing: socket, &state) }
        }
    }

    // MARK: writing

    /// Sends what the socket takes now; the rest waits for it, up to a limit.
    func transmit(_ bytes: consuming [UInt8], passing socket: PassedSocket? = nil, _ state: inout State) {
        guard state.unsent.byteCount + bytes.count <= HostLimits.unsentBytes,
            socket == nil || state.unsent.socketCount < HostLimits.unsentSockets
        else {
            Task { self.fail(HostError(.pluginFailed, "the plugin \(self.plugin) does not read what it is sent")) }
            return
        }
        callbacks.meter?.sent(bytes.count)
        state.core.noteSent(bytes)
        state.unsent.append(bytes, passing: socket)
        guard !state.isFlushDue else { return }
        // Within the poller's turn, what its tasks send goes out together.
        state.isFlushDue = poller.atEndOfTurn { [self] _, room in
            self.state.withLock { state in
                state.isFlushDue = false
                flush(&state, gatheredIn: room)
            }
        }
        if !state.isFlushDue { flush(&state) }
    }

    private func flush(_ state: inout State, gatheredIn room: UnsafeMutableRawBufferPointer? = nil) {
        guard state.end == nil else { return }
        state.unsent.drain(gatheredIn: room) {
            send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        } passing: { bytes, socket in
            pass(socket, with: bytes)
        }
        guard state.awaitsRoom == state.unsent.isEmpty else { return }
        state.awaitsRoom.toggle()
        poller.change(descriptor, state.ticket, to: state.awaitsRoom ? [.readable, .writable] : .readable)
    }

    /// A frame's first bytes and its socket, in one sendmsg(2) that holds nothing of another frame (ABI-7.21).
    private func pass(_ socket: PassedSocket, with bytes: UnsafeRawBufferPointer) -> Int {
        let count = cjail_pass(descriptor, bytes.baseAddress, bytes.count, socket.descriptor)
        if count < 0, errno != EAGAIN, errno != EINTR {
            let number = errno
            Task { self.fail(HostError(.pluginFailed, "no socket can be passed to \(self.plugin): errno \(number)")) }
        }
        return count
    }

    // MARK: the end

    /// Ends the session with a cause. Every waiting caller gets it; later calls get it too.
    func fail(_ cause: HostError) {
        let ended: State? = state.withLock { state in
            guard state.end == nil else { return nil }
            // The last word may wait for the end of the turn.
            flush(&state)
            callbacks.left(state.core.remains)
            state.end = cause
            state.core.fail()
            state.unsent.wipe()
            poller.forget(descriptor, state.ticket)
            if let alarm = state.alarm { poller.cancel(alarm.timer) }
            shutdown(descriptor, Int32(SHUT_RDWR))
            let copy = state
            _ = state.calls.takeAll()
            state.steps = []
            state.pings = [:]
            state.hostCalls = [:]
            return copy
        }
        guard var waiting = ended else { return }
        poller.health.forget(self)
        callbacks.ended(cause)
        for task in waiting.hostCalls.values { task.cancel() }
        for step in waiting.steps { step.waiter.resume(returning: cause) }
        for waiter in waiting.pings.values { waiter.resume(returning: cause) }
        for waiter in waiting.calls.takeAll() { waiter.resume(returning: .failure(cause)) }
    }
}
