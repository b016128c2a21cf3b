/// The stages of a call, in the order in which `CallPipeline` goes through them.
enum CallStage: String, Sendable, CaseIterable {
    /// Who calls?
    case authenticate
    /// Which plugin has the tool?
    case resolve
    /// Do the arguments fit?
    case validate
    case policy
    /// The credentials of the call.
    case bind
    /// An instance that has room for the call: there, started, or waited for.
    case instance
    case auditIntent = "audit-intent"
    /// The plugin works.
    case plugin
    /// The answer is searched for secrets and held to its schema.
    case redact
    case auditOutcome = "audit-outcome"
}

/// Measures the stages of one call, by the monotonic clock: each ends where the next begins.
struct StageClock {
    private let metrics: HostMetrics
    private let start = Int64(Clock.monotonicNanoseconds())
    private var began: Int64
    private(set) var stage = CallStage.authenticate
    /// How long the plugin had the call; nil until it has given it back.
    private(set) var inPlugin: Int64?

    init(_ metrics: HostMetrics) {
        self.metrics = metrics
        began = start
    }

    mutating func enter(_ next: CallStage) {
        let now = Int64(Clock.monotonicNanoseconds())
        if stage == .plugin { inPlugin = now - began }
        metrics.spent(now - began, in: stage)
        (stage, began) = (next, now)
    }

    /// Ends the last stage.
    ///
    /// - Returns: nanoseconds since the call arrived.
    mutating func finish() -> Int64 {
        enter(stage)
        return began - start
    }
}
