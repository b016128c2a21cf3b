/// Whether a plugin still reads while it works, as a value: the host pings it while calls are open (ABI-6.6).
struct HealthCheck {
    private var nonce: UInt64 = 0
    /// When the ping was sent that has not been answered.
    private var asked: UInt64?
    private var isTold = false

    enum Action: Equatable {
        case wait
        case ping(nonce: UInt64)
        /// Said once for each ping.
        case blocked(milliseconds: UInt64)
    }

    /// - Parameter now: in milliseconds.
    mutating func tick(now: UInt64) -> Action {
        guard let asked else {
            nonce += 1
            self.asked = now
            isTold = false
            return .ping(nonce: nonce)
        }
        let waited = now > asked ? now - asked : 0
        guard waited >= HostLimits.pongMilliseconds, !isTold else { return .wait }
        isTold = true
        return .blocked(milliseconds: waited)
    }

    mutating func heard(_ nonce: UInt64) {
        if nonce == self.nonce { asked = nil }
    }
}
