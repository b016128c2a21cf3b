internal import JSONBytes

/// One forbidden act that was tried, and what came of it.
struct Attempt: Sendable, Equatable {
    enum Outcome: String, Sendable {
        case denied
        /// In capitals: whoever reads the list must not overlook it.
        case allowed = "ALLOWED"
    }

    var name: String
    var outcome: Outcome
    /// The layer that the refusal points to; nothing if there was none.
    var by: String
    var detail: String

    var json: JSONValue {
        ["attempt": .string(name), "outcome": .string(outcome.rawValue), "by": .string(by), "detail": .string(detail)]
    }
}
