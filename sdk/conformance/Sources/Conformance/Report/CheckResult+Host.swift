extension CheckResult {
    /// What became of a check of a host, for the same reports.
    public init(_ result: HostCheckResult) {
        let outcome: CheckOutcome =
            switch result.outcome {
            case .passed: .passed
            case .failed(let why, let fix): .failed(why: why, remedy: fix, transcript: [])
            case .skipped(let reason): .skipped(reason: reason)
            }
        self.init(
            requirement: result.requirement, title: result.title, group: result.group, outcome: outcome,
            milliseconds: result.milliseconds)
    }
}
