internal import Egress
internal import Synchronization

/// The meters of all plugins: one each, whichever call or instance asks.
final class EgressMeters: Sendable {
    private let meters: Mutex<[String: EgressMeter]> = Mutex([:])
    private let quota: EgressQuota

    init(quota: EgressQuota = .fetches) { self.quota = quota }

    subscript(plugin: String) -> EgressMeter {
        meters.withLock { meters in
            if let meter = meters[plugin] { return meter }
            let fresh = EgressMeter(plugin: plugin, quota: quota)
            meters[plugin] = fresh
            return fresh
        }
    }
}

extension EgressQuota {
    /// What `http.fetch` gives a plugin.
    static let fetches = EgressQuota(
        connections: HostLimits.fetchesInFlight, bytesPerMinute: HostLimits.fetchBytesPerMinute,
        connectMilliseconds: HostLimits.fetchConnectMilliseconds, idleMilliseconds: HostLimits.fetchIdleMilliseconds,
        overallMilliseconds: Int64(HostLimits.fetchMilliseconds),
        headMilliseconds: Int64(HostLimits.fetchMilliseconds))

    /// What `net.connect` gives a plugin. The host sees neither the bytes nor the end of what it hands over.
    static let connects: EgressQuota = {
        var quota = EgressQuota(
            connections: HostLimits.connectsInFlight, bytesPerMinute: .max,
            connectMilliseconds: HostLimits.connectMilliseconds, idleMilliseconds: .max, overallMilliseconds: .max,
            headMilliseconds: HostLimits.connectMilliseconds)
        quota.connectionsPerMinute = HostLimits.connectsPerMinute
        return quota
    }()
}
