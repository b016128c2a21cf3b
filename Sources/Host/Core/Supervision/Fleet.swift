internal import PluginABI

/// The processes of one version of a plugin and who waits for them, as a value: events in, steps out. It owns no
/// process, no clock and no task. Times are monotonic milliseconds.
struct Fleet: Sendable {
    /// Whom a process serves. One that serves nobody yet has none, and has seen no caller.
    enum Key: Hashable, Sendable {
        case everyone
        case principal(String)
        /// One call, by its ticket: no second call ever has the same key.
        case call(UInt64)
    }

    struct Member: Sendable, Equatable {
        enum State: String, Sendable {
            case starting, ready
            /// No new calls; it goes when it has answered those that it has.
            case leaving
            /// No new calls; its process is about to go.
            case ending
        }
        var state = State.starting
        var key: Key?
        var open = 0
        var served = 0
        var started: UInt64
        var lastUsed: UInt64

        var takesCalls: Bool { state == .starting || state == .ready }
    }

    /// What the shell does next, in order.
    enum Step: Equatable {
        case grant(ticket: UInt64, member: Int)
        case refuse(ticket: UInt64, HostError)
        /// Ask it to stop, and end its process.
        case stop(member: Int)
        /// End its process at once: it served its one call.
        case destroy(member: Int)
    }

    private struct Lease {
        var member: Int
        var principal: String
        var since: UInt64
    }

    let plugin: String
    var rule: FleetRule
    private(set) var members: [Int: Member] = [:]
    private(set) var queue = CallQueue()
    private var leases: [UInt64: Lease] = [:]
    private var byKey: [Key: Int] = [:]
    /// Ready, for whoever comes; the first was ready first.
    private var spares: [Int] = []
    private var openCalls: [String: Int] = [:]
    /// Used lately, so that spares are worth their memory.
    private var isWarm = false
    /// How long a call takes, the later ones counting more.
    private var meanMilliseconds: UInt64 = 50

    init(plugin: String, rule: FleetRule) {
        self.plugin = plugin
        self.rule = rule
    }

    // MARK: callers

    mutating func want(_ ticket: UInt64, for principal: String, now: UInt64) -> [Step] {
        let waiter = CallQueue.Waiter(ticket: ticket, key: key(ticket, principal), principal: principal)
        let free = grantee(waiter).map { give(waiter, $0, now) }
        if let free { return [free] }
        switch queue.add(waiter, limit: rule.queued) {
        case .waits: return []
        case .displaces(let other): return [.refuse(ticket: other.ticket, busy(other.principal))]
        case .full: return [.refuse(ticket: ticket, busy(principal))]
        }
    }

    private func key(_ ticket: UInt64, _ principal: String) -> Key {
        switch rule.isolation {
        case .shared: .everyone
        case .perUser: .principal(principal)
        case .perCall: .call(ticket)
        }
    }

    /// - Returns: false if the caller did not wait any more.
    mutating func withdraw(_ ticket: UInt64) -> Bool { queue.remove(ticket) != nil }

    mutating func endLease(_ ticket: UInt64, now: UInt64) -> [Step] {
        guard let lease = leases.removeValue(forKey: ticket) else { return [] }
        let open = (openCalls[lease.principal] ?? 1) - 1
        openCalls[lease.principal] = open > 0 ? open : nil
        let took = now > lease.since ? now - lease.since : 0
        meanMilliseconds = (meanMilliseconds * 7 + took) / 8
        guard var member = members[lease.member] else { return serve(now) }
        member.open -= 1
        member.served += 1
        member.lastUsed = now
        members[lease.member] = member
        let isOver = member.open == 0 && member.state != .ending
        if isOver, rule.isolation == .perCall {
            return end(lease.member, .destroy(member: lease.member)) + serve(now)
        }
        return (isOver && member.state == .leaving ? stop(lease.member) : []) + serve(now)
    }

    /// Gives what is free to those whose turn it is.
    mutating func serve(_ now: UInt64) -> [Step] {
        var steps: [Step] = []
        while !queue.waiters.isEmpty {
            let fleet = self
            guard let waiter = queue.next(open: openCalls, where: { fleet.grantee($0) != nil }),
                let member = grantee(waiter)
            else { break }
            steps.append(give(waiter, member, now))
        }
        return steps
    }

    private func grantee(_ waiter: CallQueue.Waiter) -> Int? {
        guard let number = byKey[waiter.key] else { return spares.first }
        guard let member = members[number], member.open < rule.concurrency else { return nil }
        return number
    }

    private mutating func give(_ waiter: CallQueue.Waiter, _ number: Int, _ now: UInt64) -> Step {
        if spares.first == number {
            spares.removeFirst()
            byKey[waiter.key] = number
            members[number]?.key = waiter.key
        }
        members[number]?.open += 1
        members[number]?.lastUsed = now
        leases[waiter.ticket] = Lease(member: number, principal: waiter.principal, since: now)
        openCalls[waiter.principal, default: 0] += 1
        isWarm = true
        return .grant(ticket: waiter.ticket, member: number)
    }

    // MARK: processes

    mutating func start(_ number: Int, now: UInt64) {
        members[number] = Member(started: now, lastUsed: now)
    }

    mutating func started(_ number: Int, now: UInt64) -> [Step] {
        guard let member = members[number] else { return [] }
        guard member.state == .starting else { return [.stop(member: number)] }
        members[number]?.state = .ready
        members[number]?.lastUsed = now
        spares.append(number)
        return serve(now)
    }

    /// A start that fails takes along who waited for just this one.
    mutating func failed(_ number: Int, _ error: HostError) -> [Step] {
        let wasWanted = members[number]?.state == .starting && missing(without: number) > 0
        remove(number)
        isWarm = false
        return wasWanted ? refuseFirst(error) : []
    }

    /// Refuses those who wait for the process that would have been started next.
    mutating func refuseFirst(_ error: HostError) -> [Step] {
        guard let key = unserved.first else { return [] }
        return queue.waiters.filter { $0.key == key }.map { waiter in
            queue.remove(waiter.ticket)
            return .refuse(ticket: waiter.ticket, error)
        }
    }

    mutating func refuseAll(_ error: HostError) -> [Step] {
        queue.removeAll().map { .refuse(ticket: $0.ticket, error) }
    }

    /// - Returns: whether that was meant to happen.
    mutating func ended(_ number: Int) -> Bool {
        let wasMeant = members[number]?.state == .ending
        remove(number)
        if !wasMeant { isWarm = false }
        return wasMeant
    }

    private mutating func remove(_ number: Int) {
        leave(number)
        members[number] = nil
    }

    /// No caller gets it from now on.
    private mutating func leave(_ number: Int) {
        if let key = members[number]?.key, byKey[key] == number { byKey[key] = nil }
        spares.removeAll { $0 == number }
    }

    private mutating func end(_ number: Int, _ step: Step) -> [Step] {
        leave(number)
        members[number]?.state = .ending
        return [step]
    }

    /// Stops a process, whatever it does; one that starts is stopped once it has.
    mutating func stop(_ number: Int) -> [Step] {
        guard let member = members[number], member.state != .ending else { return [] }
        let steps = end(number, .stop(member: number))
        return member.state == .starting ? [] : steps
    }

    /// Stops what has served nobody for the rule's time.
    mutating func idle(now: UInt64) -> [Step] {
        let idle = members.filter { number, member in
            member.state == .ready && member.open == 0 && now >= member.lastUsed + rule.idleMilliseconds
        }
        if idle.values.contains(where: { $0.key == nil }) { isWarm = false }
        return idle.keys.sorted().flatMap { stop($0) }
    }

    /// No new calls for it, and it goes when it serves nobody.
    mutating func release(_ number: Int) -> [Step] {
        guard let member = members[number], member.state == .ready, member.open > 0 else { return stop(number) }
        leave(number)
        members[number]?.state = .leaving
        return []
    }

    /// Other numbers from now on. Those who wait already still do; processes that are too many are released.
    mutating func adopt(_ new: FleetRule) -> [Step] {
        let surplus = new.warm < rule.warm ? Array(spares.dropFirst(new.warm)) : []
        rule = new
        var steps = surplus.flatMap { stop($0) }
        while live > rule.instances, let number = idlers.first?.member ?? newest { steps += release(number) }
        return steps
    }

    // MARK: numbers

    /// Who was started last, of those that take calls.
    var newest: Int? { members.filter { $0.value.takesCalls }.keys.max() }

    /// Keys of waiting callers that no process has, in the order in which they came.
    private var unserved: [Key] {
        var seen: Set<Key> = []
        return queue.waiters.map(\.key).filter { byKey[$0] == nil && seen.insert($0).inserted }
    }

    /// How many processes must be started for those who wait.
    var missing: Int { missing(without: nil) }

    private func missing(without number: Int?) -> Int {
        guard !queue.waiters.isEmpty else { return 0 }
        let coming = members.filter { $0.key != number && $0.value.state == .starting }.count
        return max(0, unserved.count - coming - spares.count)
    }

    /// Whether one more should be made ready for later. Two at once: one may take longer than the time between calls.
    var wantsSpare: Bool {
        isWarm && queue.waiters.isEmpty && coming < 2 && spares.count + coming < rule.warm
            && live < rule.instances
    }

    /// Processes that are not about to go.
    var live: Int { members.values.reduce(0) { $0 + ($1.takesCalls ? 1 : 0) } }

    /// Who may go for others: serves nobody, the longest unused first.
    var idlers: [(member: Int, lastUsed: UInt64)] {
        members.filter { $0.value.state == .ready && $0.value.open == 0 }
            .map { ($0.key, $0.value.lastUsed) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    }

    /// Nothing is ready or becomes ready.
    var isOutOfSpares: Bool { spares.isEmpty && coming == 0 }

    private var coming: Int { members.values.count { $0.state == .starting } }

    var hasLeases: Bool { !leases.isEmpty }

    /// Makes spares worth keeping before anybody has called.
    mutating func warmUp() { isWarm = true }

    private func busy(_ principal: String) -> HostError {
        let waiting = queue.waiters.count
        let at = max(1, rule.isolation == .shared ? rule.concurrency : live)
        let wait = min(max(UInt64(waiting) * meanMilliseconds / UInt64(at), 100), 10_000)
        let own = queue.waiters.filter { $0.principal == principal }.count
        return HostError(
            .unavailable,
            "the plugin \(plugin) is busy: \(waiting) calls wait for it, \(own) of them from \(principal); "
                + "try again in \(wait) ms", retryable: true, retryAfterMilliseconds: Int(wait))
    }
}
