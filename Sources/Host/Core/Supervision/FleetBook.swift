internal import PluginABI

/// All plugin processes of the host, as a value: which version of a plugin serves whom, and who must go when the budget
/// is used up. Events in, actions out; times are monotonic milliseconds.
struct FleetBook: Sendable {
    enum Role: Sendable {
        /// New callers come here.
        case current
        /// Replaced by an upgrade: serves those who had found it before, and then goes.
        case past
        /// A new version that has to show first that it works.
        case staged
        /// Takes nobody any more.
        case retired
    }

    struct Version: Sendable {
        let plugin: InstalledPlugin
        var role: Role
        var fleet: Fleet

        func isOpen(_ plugin: InstalledPlugin) -> Bool { role != .retired && self.plugin.isSameVersion(as: plugin) }
    }

    enum Action: Equatable {
        case start(member: Int, InstalledPlugin)
        case grant(ticket: UInt64, member: Int)
        case refuse(ticket: UInt64, HostError)
        case stop(member: Int)
        case destroy(member: Int)
    }

    private(set) var configuration: HostConfiguration
    private(set) var versions: [Int: Version] = [:]
    private var count = 0
    private var memberCount = 0
    /// Which version a process belongs to, and a caller.
    private var memberVersion: [Int: Int] = [:]
    private var ticketVersion: [UInt64: Int] = [:]

    init(_ configuration: HostConfiguration = .standard) { self.configuration = configuration }

    // MARK: callers

    mutating func want(
        _ ticket: UInt64, _ plugin: InstalledPlugin, for principal: String, now: UInt64
    ) -> [Action] {
        var actions: [Action] = []
        let id = version(serving: plugin) ?? open(plugin, as: .current, &actions)
        ticketVersion[ticket] = id
        actions += step(id) { $0.want(ticket, for: principal, now: now) }
        return actions + fill(id, now, isHurried: true)
    }

    /// - Returns: false if the caller did not wait any more.
    mutating func withdraw(_ ticket: UInt64) -> Bool {
        guard let id = ticketVersion[ticket], versions[id]?.fleet.withdraw(ticket) == true else { return false }
        ticketVersion[ticket] = nil
        return true
    }

    mutating func endLease(_ ticket: UInt64, now: UInt64) -> [Action] {
        guard let id = ticketVersion.removeValue(forKey: ticket) else { return [] }
        return step(id) { $0.endLease(ticket, now: now) } + leaveIfPast(id) + fill(id, now)
    }

    // MARK: processes

    mutating func started(_ member: Int, now: UInt64) -> [Action] {
        guard let id = memberVersion[member] else { return [.stop(member: member)] }
        return step(id) { $0.started(member, now: now) } + leaveIfPast(id) + fill(id, now)
    }

    mutating func failed(_ member: Int, _ error: HostError, now: UInt64) -> [Action] {
        guard let id = memberVersion.removeValue(forKey: member) else { return [] }
        let actions = step(id) { $0.failed(member, error) }
        return actions + fillAll(now)
    }

    /// - Returns: whether its end was meant to happen; nil if it was not known any more.
    mutating func ended(_ member: Int, now: UInt64) -> (wasMeant: Bool?, actions: [Action]) {
        guard let id = memberVersion.removeValue(forKey: member) else { return (nil, []) }
        let wasMeant = versions[id]?.fleet.ended(member)
        return (wasMeant, fillAll(now))
    }

    mutating func tick(now: UInt64) -> [Action] {
        versions.keys.sorted().flatMap { id in step(id) { $0.idle(now: now) } + fill(id, now) }
    }

    // MARK: versions

    /// Starts one process that nobody gets before it is needed.
    mutating func startSpare(_ plugin: InstalledPlugin, now: UInt64) -> (member: Int?, actions: [Action]) {
        var actions: [Action] = []
        let id = version(serving: plugin) ?? open(plugin, as: .current, &actions)
        if let live = versions[id]?.fleet.members.first(where: { $0.value.takesCalls }) {
            return (live.key, actions)
        }
        versions[id]?.fleet.warmUp()
        return add(to: id, now, &actions)
    }

    /// Puts a new version beside the current one.
    mutating func stage(_ plugin: InstalledPlugin, now: UInt64) -> (member: Int?, actions: [Action]) {
        var actions: [Action] = []
        let id = open(plugin, as: .staged, &actions)
        return add(to: id, now, &actions)
    }

    private mutating func add(to id: Int, _ now: UInt64, _ actions: inout [Action]) -> (Int?, [Action]) {
        guard let version = versions[id], fits(version.fleet.rule) else { return (nil, actions) }
        actions.append(start(id, now))
        return (memberCount, actions)
    }

    /// New callers get this version from now on; what runs of another one serves its callers to the end, and goes.
    ///
    /// - Parameter old: whoever found this version before still gets it.
    mutating func promote(_ plugin: InstalledPlugin, over old: InstalledPlugin) -> [Action] {
        var actions: [Action] = []
        for version in [old, plugin] where !versions.values.contains(where: { $0.isOpen(version) }) {
            _ = open(version, as: .past, &actions)
        }
        for (id, version) in versions where version.plugin.name == plugin.name && version.role != .retired {
            versions[id]?.role = version.plugin.isSameVersion(as: plugin) ? .current : .past
            actions += leaveIfPast(id)
        }
        return actions
    }

    /// Takes every version of a plugin out; their processes are stopped.
    mutating func retire(_ name: String, refusing error: HostError) -> [Action] {
        versions.filter { $0.value.plugin.name == name }.keys.sorted().flatMap { retire($0, error) }
    }

    /// Takes one version out, unless it is the one that callers get.
    mutating func discard(_ plugin: InstalledPlugin) -> [Action] {
        versions.filter { $0.value.role != .current && $0.value.isOpen(plugin) }.keys.sorted()
            .flatMap { retire($0, .replaced(plugin.name)) }
    }

    mutating func retireAll(refusing error: HostError) -> [Action] {
        versions.keys.sorted().flatMap { retire($0, error) }
    }

    private mutating func retire(_ id: Int, _ error: HostError) -> [Action] {
        versions[id]?.role = .retired
        return step(id) { fleet in
            fleet.refuseAll(error) + fleet.members.keys.sorted().flatMap { fleet.stop($0) }
        }
    }

    private func version(serving plugin: InstalledPlugin) -> Int? {
        versions.first { _, version in
            version.role != .staged && version.isOpen(plugin)
        }?.key
    }

    private mutating func open(_ plugin: InstalledPlugin, as role: Role, _ actions: inout [Action]) -> Int {
        versions = versions.filter { !($0.value.role == .retired && $0.value.fleet.members.isEmpty) }
        if role == .current {
            for (id, version) in versions where version.role == .current && version.plugin.name == plugin.name {
                actions += retire(id, .replaced(plugin.name))
            }
        }
        count += 1
        let fleet = Fleet(plugin: plugin.name, rule: rule(of: plugin))
        versions[count] = Version(plugin: plugin, role: role, fleet: fleet)
        return count
    }

    /// What serves nobody of a version that was replaced goes.
    private mutating func leaveIfPast(_ id: Int) -> [Action] {
        guard let version = versions[id], version.role == .past else { return [] }
        return step(id) { fleet in fleet.idlers.flatMap { fleet.stop($0.member) } }
    }

    private mutating func step(_ id: Int, _ event: (inout Fleet) -> [Fleet.Step]) -> [Action] {
        guard var version = versions.removeValue(forKey: id) else { return [] }
        let steps = event(&version.fleet)
        versions[id] = version
        return steps.map { step in
            switch step {
            case .grant(let ticket, let member): return .grant(ticket: ticket, member: member)
            case .refuse(let ticket, let error):
                ticketVersion[ticket] = nil
                return .refuse(ticket: ticket, error)
            case .stop(let member): return .stop(member: member)
            case .destroy(let member): return .destroy(member: member)
            }
        }
    }

    private func rule(of plugin: InstalledPlugin) -> FleetRule {
        FleetRule(plugin.manifest, configuration.plugins[plugin.name], isolation: plugin.isolation)
    }

    // MARK: budget

    /// Other limits from now on. What is too much for them goes: at once where it serves nobody, else as it finishes.
    mutating func configure(_ new: HostConfiguration, now: UInt64) -> [Action] {
        configuration = new
        var actions: [Action] = []
        for (id, version) in versions.sorted(by: { $0.key < $1.key }) where version.role != .retired {
            let rule = rule(of: version.plugin)
            actions += step(id) { $0.adopt(rule) }
        }
        while !fits(nil, withoutEnding: true), let surplus = victim() ?? newest() {
            actions += step(surplus.version) { $0.release(surplus.member) }
        }
        return actions + fillAll(now)
    }

    /// Starts what a version needs for those who wait, then what it keeps ready.
    ///
    /// - Parameter isHurried: a call is about to begin, and a start beside it would slow it: only the last one that was
    ///   ready is replaced at once, the others when a call has ended, or at the next tick.
    private mutating func fill(_ id: Int, _ now: UInt64, isHurried: Bool = false) -> [Action] {
        var actions: [Action] = []
        while let version = versions[id], version.role != .retired, version.fleet.missing > 0 {
            let fleet = version.fleet
            if fleet.live >= fleet.rule.instances {
                // As many as it may have: one of its own that is idle makes room, or the caller waits.
                guard let own = fleet.idlers.first else { break }
                actions += step(id) { $0.stop(own.member) }
            } else if fits(fleet.rule) {
                actions.append(start(id, now))
            } else if fits(fleet.rule, withoutEnding: true) {
                break
            } else if let victim = victim() {
                actions += step(victim.version) { $0.stop(victim.member) }
            } else {
                let refusal = usedUp(fleet)
                actions += step(id) { $0.refuseFirst(refusal) }
            }
        }
        while let version = versions[id], version.role == .current, version.fleet.wantsSpare,
            !isHurried || version.fleet.isOutOfSpares, fits(version.fleet.rule)
        {
            actions.append(start(id, now))
        }
        return actions
    }

    /// Room was made: whoever waited longest comes first.
    private mutating func fillAll(_ now: UInt64) -> [Action] {
        let order = versions.map { ($0.value.fleet.queue.waiters.first?.ticket ?? .max, $0.key) }.sorted { $0 < $1 }
        return order.flatMap { fill($0.1, now) }
    }

    private mutating func start(_ id: Int, _ now: UInt64) -> Action {
        memberCount += 1
        memberVersion[memberCount] = id
        versions[id]?.fleet.start(memberCount, now: now)
        return versions[id].map { .start(member: memberCount, $0.plugin) } ?? .stop(member: memberCount)
    }

    /// - Parameter rule: of one process more; nil for those that there are.
    private func fits(_ rule: FleetRule?, withoutEnding: Bool = false) -> Bool {
        let budget = configuration.budget
        var (processes, memory) = (rule == nil ? 0 : 1, rule?.memoryBytes ?? 0)
        for version in versions.values {
            let members = withoutEnding ? version.fleet.live : version.fleet.members.count
            processes += members
            memory += UInt64(members) * version.fleet.rule.memoryBytes
        }
        return processes <= budget.processes && memory <= budget.memoryBytes
    }

    /// The process that can best be spared: of plugins with more than their share of the budget first, and then the one
    /// that was not used for the longest time.
    private func victim() -> (version: Int, member: Int)? {
        let large = large
        let idlers = versions.flatMap { id, version in
            version.role == .staged
                ? []
                : version.fleet.idlers.map { idler in
                    (
                        version: id, member: idler.member, lastUsed: idler.lastUsed,
                        hasMoreThanItsShare: large.contains(version.plugin.name)
                    )
                }
        }
        return idlers.min { first, second in
            (first.hasMoreThanItsShare ? 0 : 1, first.lastUsed, UInt64(first.member))
                < (second.hasMoreThanItsShare ? 0 : 1, second.lastUsed, UInt64(second.member))
        }.map { ($0.version, $0.member) }
    }

    /// The process that was started last, of plugins with more than their share first.
    private func newest() -> (version: Int, member: Int)? {
        let large = large
        return versions.compactMap { id, version in
            version.role == .staged
                ? nil : version.fleet.newest.map { (id, $0, large.contains(version.plugin.name) ? 1 : 0) }
        }.max { ($0.2, $0.1) < ($1.2, $1.1) }.map { ($0.0, $0.1) }
    }

    /// Plugins with more processes than their share of the budget.
    private var large: Set<String> {
        var counts: [String: Int] = [:]
        for version in versions.values { counts[version.plugin.name, default: 0] += version.fleet.live }
        let share = configuration.budget.processes / max(1, counts.values.count { $0 > 0 })
        return Set(counts.filter { $0.value > share }.keys)
    }

    private func usedUp(_ fleet: Fleet) -> HostError {
        let budget = configuration.budget
        let processes = versions.values.reduce(0) { $0 + $1.fleet.members.count }
        return HostError(
            .unavailable,
            "the plugin \(fleet.plugin) was not started: the host's budget is used up (\(processes) of "
                + "\(budget.processes) processes, memory limits of at most \(budget.memoryBytes >> 20) MiB), "
                + "and all of them serve calls; try again in \(HostLimits.budgetRetryMilliseconds) ms, or raise it",
            retryable: true, retryAfterMilliseconds: HostLimits.budgetRetryMilliseconds)
    }

    // MARK: for people

    /// Those of a plugin that take callers, and their processes.
    func members(of name: String) -> [(number: Int, member: Fleet.Member, plugin: InstalledPlugin)] {
        versions.values.filter { $0.plugin.name == name }.flatMap { version in
            version.fleet.members.map { ($0.key, $0.value, version.plugin) }
        }.sorted { $0.0 < $1.0 }
    }

    var all: [(number: Int, member: Fleet.Member, version: Version)] {
        versions.values.flatMap { version in version.fleet.members.map { ($0.key, $0.value, version) } }
            .sorted { $0.0 < $1.0 }
    }

    func isKnown(_ member: Int) -> Bool { memberVersion[member] != nil }

    /// Whether new callers get its version.
    func isCurrent(_ member: Int) -> Bool { memberVersion[member].map { versions[$0]?.role == .current } ?? false }

    /// Whether it is not about to go.
    func isServing(_ member: Int) -> Bool {
        memberVersion[member].flatMap { versions[$0]?.fleet.members[member] }.map { $0.state != .ending } ?? false
    }

    /// Whom a process serves, where each principal has one of its own.
    func principal(of member: Int) -> String? {
        guard case .principal(let name)? = memberVersion[member].flatMap({ versions[$0]?.fleet.members[member]?.key })
        else { return nil }
        return name
    }

    /// Whether this version answers anybody else.
    func answersOthers(than principal: String, _ plugin: InstalledPlugin) -> Bool {
        members(of: plugin.name).contains { _, member, version in
            version.isSameVersion(as: plugin) && member.served > 0 && member.key != .principal(principal)
        }
    }

    /// Whether a caller who found this version gets it.
    func serves(_ plugin: InstalledPlugin) -> Bool { version(serving: plugin) != nil }
}

extension InstalledPlugin {
    /// The same installation of the same bytes.
    func isSameVersion(as other: InstalledPlugin) -> Bool {
        digest == other.digest && installed == other.installed && name == other.name
    }
}

extension HostError {
    static func replaced(_ plugin: String) -> HostError {
        HostError(.pluginFailed, "the plugin \(plugin) was replaced or removed", retryable: true)
    }
}
