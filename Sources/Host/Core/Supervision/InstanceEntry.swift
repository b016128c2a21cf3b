public import JSONBytes
internal import PluginABI
internal import Sandbox

/// One plugin process in the ledger.
public struct InstanceEntry: Sendable, Equatable {
    public var plugin: String
    public var version: String
    /// Such as `crypto-bot#3`.
    public var instance: String
    /// `everyone`, a principal, `one call`, or `nobody yet`.
    public var servedFor: String
    /// `starting`, `ready`, `busy`, `leaving` (takes no new calls) or `ending`.
    public var state: String
    /// Of the jail's init, as the host sees it; nil while it starts.
    public var processID: Int32?
    public var callsOpen: Int
    public var callsServed: Int
    /// Unix milliseconds.
    public var started: UInt64
    public var lastUsed: UInt64
    /// What it may take at most.
    public var memoryLimitBytes: UInt64
}

extension Supervisor {
    /// Every plugin process that there is now, in the order of their starts.
    public func ledger() -> [InstanceEntry] {
        let (now, unix) = (Clock.monotonicMilliseconds(), Clock.unixMilliseconds())
        return book.all.map { number, member, version in
            let state = member.state == .ready ? member.open > 0 ? "busy" : "ready" : member.state.rawValue
            return InstanceEntry(
                plugin: version.plugin.name, version: version.plugin.manifest.version,
                instance: starter.id(version.plugin, number), servedFor: Self.describe(member.key), state: state,
                processID: instances[number]?.processID, callsOpen: member.open, callsServed: member.served,
                started: unix - (now - member.started), lastUsed: unix - (now - member.lastUsed),
                memoryLimitBytes: version.fleet.rule.memoryBytes)
        }
    }

    private static func describe(_ key: Fleet.Key?) -> String {
        switch key {
        case .everyone: "everyone"
        case .principal(let name): name
        case .call: "one call"
        case nil: "nobody yet"
        }
    }

    /// How a plugin is doing, for people.
    public struct Status: Sendable, Equatable {
        /// `starting`, or a name of `PluginState`.
        public var state: String
        /// Since when, in Unix milliseconds; nil for a plugin that has never run.
        public var since: UInt64?
        public var instance: String?
        /// The jail's layers as the launcher reported them: an array of `{"layer", "state", "detail"}`.
        public var layers: JSONValue?
        /// Why it is in this state, where there is a reason.
        public var cause: String?
        /// Failures in a row.
        public var failures: Int
        public var lateFrames: Int
        public var recentLog: [String]
    }

    /// Of several processes, the one that was started last speaks for the plugin.
    public func status(of name: String) -> Status {
        let members = book.members(of: name)
        let ready = members.last { $0.member.state == .ready || $0.member.state == .leaving }.flatMap {
            instances[$0.number]
        }
        let known = restarts.state(of: name)
        let isStarting = members.contains { $0.member.state == .starting }
        // Between two calls, a plugin with a process for each has none and is stopped.
        let resting = known?.name == .running ? .stopped : known?.name ?? .stopped
        // What is left of a parked plugin serves on, but an admin has to know that no process follows.
        let isRunning = ready != nil && resting != .parked
        return Status(
            state: isRunning ? "running" : isStarting ? "starting" : resting.rawValue, since: known?.since,
            instance: ready?.id, layers: ready?.report.json, cause: known?.cause, failures: known?.failures ?? 0,
            lateFrames: ready?.session.lateFrames ?? 0, recentLog: starter.log(of: name).recent(20))
    }

    /// Lines with higher numbers than `after`, oldest first.
    public func log(of name: String, after: Int) -> [PluginLog.Line] {
        starter.log(of: name).lines(after: after, limit: HostLimits.logLinesPerAnswer)
    }
}
