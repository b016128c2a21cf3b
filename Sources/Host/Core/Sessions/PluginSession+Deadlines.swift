internal import PluginABI
internal import Synchronization

/// When calls end that their plugin does not end, and what becomes of a plugin that says nothing. Deadlines are kept by
/// the monotonic clock: what the wall clock does changes nothing. There is one timer for all calls of a session.
extension PluginSession {
    func wake(at due: UInt64, _ state: inout State) {
        if let alarm = state.alarm {
            guard due < alarm.due else { return }
            poller.cancel(alarm.timer)
        }
        state.alarm = (due, poller.timer(at: due) { [weak self] in self?.expire() })
    }

    /// Ends the calls whose deadline has passed.
    private func expire() {
        let overdue = state.withLock { state in
            state.alarm = nil
            let (overdue, next) = state.calls.overdue(now: Clock.monotonicNanoseconds())
            if let next { wake(at: next, &state) }
            return overdue.compactMap { stream, call in
                state.core.context(of: stream).map { (stream, call, $0) }
            }
        }
        for (stream, call, context) in overdue {
            let heard = state.withLock { $0.heard }
            let diagnosis = Diagnosis.unanswered(context.tool)
            if abandon(stream, HostError(.deadlineExceeded, diagnosis.forCaller, retryable: true)) {
                callbacks.diagnose(diagnosis, context.requestID)
            }
            reply(.ping(nonce: call.deadline), stream: 0)
            _ = poller.timer(afterMilliseconds: HostLimits.silenceMilliseconds) { [weak self] in
                self?.failIfSilent(since: heard)
            }
        }
    }

    /// A plugin that has missed a deadline and then answers neither the cancel nor a ping is dead, whatever its process
    /// does.
    private func failIfSilent(since heard: UInt64) {
        guard state.withLock({ $0.heard == heard && $0.end == nil }) else { return }
        let diagnosis = Diagnosis.silent(HostLimits.silenceMilliseconds)
        callbacks.diagnose(diagnosis, nil)
        fail(HostError(.deadlineExceeded, "the plugin \(plugin) failed: \(diagnosis.forCaller)", retryable: true))
    }

    /// Pings the plugin when its time has come, and ends the session of one that is dead. For `HealthTimer`.
    func checkHealth() {
        let action: HealthCheck.Action = state.withLock { state in
            guard state.end == nil, state.core.lifecycle.state == .running else { return .wait }
            let action = state.health.tick(now: Clock.monotonicMilliseconds(), isBusy: state.core.hasOpenCalls)
            if case .ping(let nonce) = action { transmit(Message.ping(nonce: nonce).encoded(), &state) }
            return action
        }
        switch action {
        case .wait, .ping: break
        case .blocked(let milliseconds): callbacks.diagnose(.blocksItsLoop(milliseconds), nil)
        case .dead(let milliseconds):
            let diagnosis = Diagnosis.dead(milliseconds)
            callbacks.diagnose(diagnosis, nil)
            fail(HostError(.pluginFailed, "the plugin \(plugin) failed: \(diagnosis.forCaller)", retryable: true))
        }
    }

    /// - Returns: false if the call had ended already.
    @discardableResult
    func abandon(_ stream: UInt64, _ error: HostError) -> Bool {
        let waiter = state.withLock { state in
            guard state.core.abandon(stream) else { return nil as CheckedContinuation<Answer, Never>? }
            for child in state.core.hostCalls(of: stream) { state.hostCalls[child]?.cancel() }
            transmit(Message.cancel(reason: error.code.rawValue).encoded(stream: stream), &state)
            return state.calls.take(stream)
        }
        waiter?.resume(returning: .failure(error))
        return waiter != nil
    }

    /// Ends every open call with an error; the plugin is told.
    func cancelCalls(_ error: HostError) {
        for stream in state.withLock({ $0.calls.streams }) { abandon(stream, error) }
    }
}
