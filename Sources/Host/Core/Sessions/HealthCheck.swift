/// Whether a plugin still reads, as a value. The host pings it every 2 s while calls are open and every 10 s otherwise
/// (ABI-6.6). While a call is open, a missing answer is only told: a tool may block its process for as long as its call
/// may take, and a missed deadline has a rule of its own. Without one there is nothing to block for, and a plugin that
/// leaves two pings unanswered is dead.
struct HealthCheck {
    private var nonce: UInt64 = 0
    /// When the last tick was.
    private var ticked: UInt64?
    /// Since the last answer, in milliseconds.
    private var rested: UInt64 = 0
    private var isOpen = false
    /// How long the open ping has not been answered.
    private var waited: UInt64 = 0
    /// The same without the time in which calls were open.
    private var idled: UInt64 = 0
    private var isTold = false
    private var isRepeated = false

    enum Action: Equatable {
        case wait
        case ping(nonce: UInt64)
        /// While a call runs; said once for each ping.
        case blocked(milliseconds: UInt64)
        case dead(milliseconds: UInt64)
    }

    /// A tick every `HostLimits.pingMilliseconds`.
    ///
    /// - Parameter now: in milliseconds. What passed between two ticks counts as two of them at most: a host that was
    ///   stopped itself, or a clock that was set, must not make plugins look dead.
    mutating func tick(now: UInt64, isBusy: Bool) -> Action {
        let elapsed = ticked.map { min(now - min($0, now), 2 * HostLimits.pingMilliseconds) } ?? 0
        ticked = now
        guard isOpen else {
            rested += elapsed
            guard rested >= (isBusy ? HostLimits.pingMilliseconds : HostLimits.idlePingMilliseconds) else {
                return .wait
            }
            isOpen = true
            return ask()
        }
        waited += elapsed
        if isBusy { idled = 0 } else { idled += elapsed }
        if idled >= 2 * HostLimits.pongMilliseconds { return .dead(milliseconds: waited) }
        if idled >= HostLimits.pongMilliseconds, !isRepeated {
            isRepeated = true
            return ask()
        }
        guard isBusy, waited >= HostLimits.pongMilliseconds, !isTold else { return .wait }
        isTold = true
        return .blocked(milliseconds: waited)
    }

    private mutating func ask() -> Action {
        nonce += 1
        return .ping(nonce: nonce)
    }

    /// An answer to the ping, or to the one that it repeats.
    mutating func heard(_ nonce: UInt64) {
        guard isOpen, nonce == self.nonce || (isRepeated && nonce + 1 == self.nonce) else { return }
        self = HealthCheck(nonce: self.nonce, ticked: ticked)
    }

    init() {}

    private init(nonce: UInt64, ticked: UInt64?) {
        self.nonce = nonce
        self.ticked = ticked
    }
}
