/// When a plugin that failed may start again, as a value: exponential backoff with full jitter, and a breaker that
/// parks a plugin which fails again and again. It owns no clock and no dice.
///
/// Counted is every death while a plugin starts or runs, for whatever reason of its own: exit, signal, limit, a broken
/// rule, silence. Not counted are ends that somebody asked for (stop, idle, upgrade, the host's end) and jails that
/// were killed from outside.
struct RestartPolicy: Sendable, Equatable {
    struct Limits: Sendable, Equatable {
        /// The second failure in a row waits up to this long, each further one up to twice as long as the one before.
        /// The first waits for nothing: one crash costs its caller an error and nobody else anything.
        var baseMilliseconds: UInt64 = 100
        var mostMilliseconds: UInt64 = 30_000
        /// Having run for so long, a plugin's failures before are forgotten.
        var healthyMilliseconds: UInt64 = 60_000
        /// So many failures within the window park it; 0 never does.
        var failures = 5
        var windowMilliseconds: UInt64 = 60_000

        static let standard = Limits()
        /// For measurements: a plugin that is killed all the time is started all the time.
        static let none = Limits(baseMilliseconds: 0, failures: 0)
    }

    enum Verdict: Sendable, Equatable {
        case restart(afterMilliseconds: UInt64)
        case park
    }

    let limits: Limits
    /// Failures in a row.
    private(set) var failures = 0
    /// When the latest of them were, oldest first; as many as the breaker needs.
    private var times: [UInt64] = []
    private var earliest: UInt64 = 0
    private(set) var isParked = false

    init(_ limits: Limits = .standard) { self.limits = limits }

    /// A failure.
    ///
    /// - Parameters:
    ///   - now: in milliseconds, of a clock that never goes back.
    ///   - ran: how long it had been running, in milliseconds; 0 if it never was.
    ///   - jitter: a number from 0 to its argument, at random.
    mutating func failed(now: UInt64, ran: UInt64, jitter: (UInt64) -> UInt64) -> Verdict {
        if ran >= limits.healthyMilliseconds { recovered() }
        failures += 1
        times.append(now)
        times.removeFirst(max(0, times.count - max(1, limits.failures)))
        let isInWindow = times.first.map { now - min($0, now) < limits.windowMilliseconds } ?? false
        if limits.failures > 0, times.count == limits.failures, isInWindow {
            isParked = true
            return .park
        }
        let wait = jitter(bound)
        earliest = now + wait
        return .restart(afterMilliseconds: wait)
    }

    /// The longest wait after this many failures in a row.
    private var bound: UInt64 {
        guard failures > 1 else { return 0 }
        let (wait, overflows) = limits.baseMilliseconds.multipliedReportingOverflow(
            by: 1 << UInt64(min(failures - 2, 40)))
        return overflows ? limits.mostMilliseconds : min(wait, limits.mostMilliseconds)
    }

    /// How long it has to wait still, in milliseconds; nil when it may start.
    func wait(now: UInt64) -> UInt64? { earliest > now ? earliest - now : nil }

    /// An admin started it, or it was replaced: what was before counts no more.
    mutating func recovered() { self = RestartPolicy(limits) }

    /// It was parked when the host stopped.
    mutating func park() { isParked = true }
}
