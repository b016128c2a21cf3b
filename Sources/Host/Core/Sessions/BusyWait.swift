/// Whether a thread should look again for a moment before it sleeps, as a value; the idea is that of the kernel's halt
/// polling (Linux: Documentation/virt/kvm/halt-polling.rst). To sleep and be woken across processors costs more than a
/// plugin takes for a short answer. Times are in nanoseconds.
///
/// It looks only while waits have been short, and where looking was in vain (as on a single processor, which the plugin
/// needs to answer) it waits for twice as many short ones before it tries again. A host with nothing to do sleeps.
struct BusyWait: Equatable {
    /// How long to look before sleeping.
    static let window: UInt64 = 50_000
    static let leastStreak = 8
    static let mostStreak = 8_192

    /// What one look in vain costs of the credit that each find gives.
    static let priceOfFailure = 8
    static let mostCredit = 64

    private var streak = 0
    private var neededStreak = Self.leastStreak
    private var credit = 0

    var isWorthwhile: Bool { streak >= neededStreak }

    /// Something came while it looked.
    mutating func found() {
        neededStreak = Self.leastStreak
        credit = min(credit + 1, Self.mostCredit)
    }

    /// Nothing came. Now and then that is no reason to stop.
    mutating func lookedInVain() {
        guard credit < Self.priceOfFailure else {
            credit -= Self.priceOfFailure
            return
        }
        credit = 0
        streak = 0
        neededStreak = min(neededStreak * 2, Self.mostStreak)
    }

    /// It slept, without having looked.
    mutating func slept(_ nanoseconds: UInt64) {
        streak = nanoseconds < 2 * Self.window ? min(streak + 1, Self.mostStreak) : 0
    }
}
