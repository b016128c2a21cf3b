// What a run found out, as data. Three renderers make text, JSON and JUnit XML of it; none of them decides anything.

/// What became of one check.
public enum CheckOutcome: Sendable, Equatable {
    case passed
    /// `why` says what was expected and what came, `remedy` what to do about it; `transcript` the last frames by kind
    /// and stream, never their contents.
    case failed(why: String, remedy: String, transcript: [String])
    /// Nothing was found out, and why not.
    case skipped(reason: String)
}

/// One check with its outcome. A requirement may have several.
public struct CheckResult: Sendable, Equatable {
    /// Such as `ABI-4.3` or `MAN-2.1`.
    public var requirement: String
    public var title: String
    /// What the check belongs to, for reading in parts: `handshake`, `frames`, `calls`.
    public var group: String
    public var outcome: CheckOutcome
    public var milliseconds: Int

    public init(requirement: String, title: String, group: String, outcome: CheckOutcome, milliseconds: Int) {
        self.requirement = requirement
        self.title = title
        self.group = group
        self.outcome = outcome
        self.milliseconds = milliseconds
    }
}

/// Everything that a run found out.
public struct ConformanceReport: Sendable, Equatable {
    /// What was checked, as a person names it.
    public var subject: String
    /// `plugin` or `host`.
    public var side: String
    public var results: [CheckResult]
    public var milliseconds: Int
    /// Only some requirements were asked for.
    public var isPartial: Bool

    public init(
        subject: String, side: String, results: [CheckResult], milliseconds: Int, isPartial: Bool = false
    ) {
        self.subject = subject
        self.side = side
        self.results = results
        self.milliseconds = milliseconds
        self.isPartial = isPartial
    }

    public var passed: [CheckResult] { results.filter { $0.outcome == .passed } }
    public var failed: [CheckResult] { results.filter(\.isFailure) }
    public var skipped: [CheckResult] { results.filter(\.isSkip) }

    /// 0 if nothing failed and something passed, else 1. (64, wrong usage, is the command's.)
    public var exitCode: Int32 { failed.isEmpty && !passed.isEmpty ? 0 : 1 }
}

extension CheckResult {
    public var isFailure: Bool {
        if case .failed = outcome { return true }
        return false
    }

    public var isSkip: Bool {
        if case .skipped = outcome { return true }
        return false
    }
}
