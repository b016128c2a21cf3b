internal import Foundation

/// How many descriptors nexusd may open. Shells and service managers often give 1,024, for the sake of select(2), which
/// is not used here; that would be fewer than two listeners and many plugins want.
enum DescriptorLimit {
    static let wanted: rlim_t = 65_536

    /// Raises the soft limit towards the hard one (setrlimit(2)). What cannot be raised stays: it is no error.
    static func raise() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, wanted))
        _ = setrlimit(resource, &limit)
    }
}
