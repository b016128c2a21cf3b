// How often a jail may make the host work by being refused. A value with a clock of its own: time comes in, decisions
// go out, and nothing waits here.

/// A bucket of tokens that fills at a steady rate.
struct TokenBucket: Sendable {
    let capacity: Double
    let perSecond: Double
    private var level: Double
    private var filled: ContinuousClock.Instant

    init(capacity: Int, perSecond: Int, now: ContinuousClock.Instant) {
        (self.capacity, self.perSecond) = (Double(capacity), Double(perSecond))
        (level, filled) = (Double(capacity), now)
    }

    mutating func take(now: ContinuousClock.Instant) -> Bool {
        level = min(capacity, level + max(0, (now - filled) / .seconds(1)) * perSecond)
        filled = max(filled, now)
        guard level >= 1 else { return false }
        level -= 1
        return true
    }

    /// When the next token will be there.
    var next: ContinuousClock.Instant { filled + .seconds(max(0, (1 - level) / perSecond)) }
}

/// Decides for one jail which refused calls become events of their own, and when the next may be answered.
struct DenialGate: Sendable {
    /// Calls answered at once, and how many a second after those. A thread that asks more often waits in the kernel,
    /// where it costs the host nothing.
    static let (answersAtOnce, answersPerSecond) = (100, 100)
    /// Events, likewise; what is above is counted and said in one event for each call.
    static let (eventsAtOnce, eventsPerSecond) = (20, 20)

    private var answers: TokenBucket
    private var events: TokenBucket
    /// By number: the latest that was not said yet, with how many it stands for.
    private var unsaid: [Int32: JailDenial] = [:]

    init(now: ContinuousClock.Instant) {
        answers = TokenBucket(capacity: Self.answersAtOnce, perSecond: Self.answersPerSecond, now: now)
        events = TokenBucket(capacity: Self.eventsAtOnce, perSecond: Self.eventsPerSecond, now: now)
    }

    /// Whether a call may be taken and answered now; else when to look again.
    mutating func admit(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        answers.take(now: now) ? nil : answers.next
    }

    /// A refused call happened. Returns the event to say now, if any.
    mutating func refused(_ denial: JailDenial, now: ContinuousClock.Instant) -> JailDenial? {
        var denial = denial
        denial.count += unsaid[denial.number]?.count ?? 0
        guard events.take(now: now) else {
            unsaid[denial.number] = denial
            return nil
        }
        unsaid[denial.number] = nil
        return denial
    }

    /// Time has passed, or the jail is over (`last`): what can be said now of what was held back.
    mutating func flush(now: ContinuousClock.Instant, last: Bool = false) -> [JailDenial] {
        var said: [JailDenial] = []
        for (number, denial) in unsaid.sorted(by: { $0.key < $1.key }) {
            guard last || events.take(now: now) else { break }
            var denial = denial
            denial.isHeldBack = true
            said.append(denial)
            unsaid[number] = nil
        }
        return said
    }

    var holdsBack: Bool { !unsaid.isEmpty }
}
