/// One metric of the host: a name, its kind, and the labels that tell its series apart.
///
/// The table below is all that nexusd itself measures. docs/METRICS.md is held to it by a test.
struct MetricFamily: Sendable, Equatable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    var name: String
    var kind: Kind
    /// One sentence, for `# HELP`.
    var help: String
    var labels: [String] = []

    /// Upper bounds of the buckets of every histogram, in nanoseconds: 5 µs to 60 s, the longest that a call may take.
    static let bounds: [Int64] = [
        5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
        25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
        10_000_000_000, 30_000_000_000, 60_000_000_000,
    ]

    static let calls = MetricFamily(
        name: "nexus_calls_total", kind: .counter, help: "Tool calls that ended, by how they ended.",
        labels: ["plugin", "tool", "outcome"])
    static let callSeconds = MetricFamily(
        name: "nexus_call_seconds", kind: .histogram, help: "Time from a call's arrival to its answer.",
        labels: ["plugin"])
    static let stageSeconds = MetricFamily(
        name: "nexus_call_stage_seconds", kind: .histogram, help: "Time that calls spent in each stage.",
        labels: ["stage"])
    static let instances = MetricFamily(
        name: "nexus_instances", kind: .gauge, help: "Instances of plugins, by state.", labels: ["plugin", "state"])
    static let memory = MetricFamily(
        name: "nexus_plugin_memory_bytes", kind: .gauge, help: "Memory of a plugin's jails, where it can be read.",
        labels: ["plugin"])
    static let starts = MetricFamily(
        name: "nexus_instance_starts_total", kind: .counter, help: "Attempts to start an instance.",
        labels: ["plugin", "outcome"])
    static let startSeconds = MetricFamily(
        name: "nexus_instance_start_seconds", kind: .histogram,
        help: "Time from the wish for an instance to its first call, its jail included.")
    static let jailSeconds = MetricFamily(
        name: "nexus_jail_start_seconds", kind: .histogram, help: "Time to build a jail and execute the plugin in it.")
    static let ends = MetricFamily(
        name: "nexus_instance_ends_total", kind: .counter, help: "Instances that ended, by cause.",
        labels: ["plugin", "cause"])
    static let denials = MetricFamily(
        name: "nexus_denials_total", kind: .counter, help: "What plugins were refused, by who refused it.",
        labels: ["plugin", "kind"])
    static let serviceCalls = MetricFamily(
        name: "nexus_service_calls_total", kind: .counter, help: "Host services that plugins asked for.",
        labels: ["plugin", "service", "outcome"])
    static let egressBytes = MetricFamily(
        name: "nexus_egress_bytes_total", kind: .counter,
        help: "Bytes of bodies that plugins sent to the network and got from it.", labels: ["plugin", "direction"])
    static let pluginBytes = MetricFamily(
        name: "nexus_plugin_bytes_total", kind: .counter,
        help: "Bytes of frames from a plugin (in) and to it (out).", labels: ["plugin", "direction"])
    static let lateFrames = MetricFamily(
        name: "nexus_late_frames_total", kind: .counter,
        help: "Frames of plugins for streams that had ended already.", labels: ["plugin"])
    static let auditSeconds = MetricFamily(
        name: "nexus_audit_append_seconds", kind: .histogram, help: "Time to append one entry to the audit log.")

    static let all = [
        calls, callSeconds, stageSeconds, instances, memory, starts, startSeconds, jailSeconds, ends, denials,
        serviceCalls, egressBytes, pluginBytes, lateFrames, auditSeconds,
    ]
}
