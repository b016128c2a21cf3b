/// Why a check ends before its last line.
enum CheckStop: Error {
    /// The plugin breaks what is being checked.
    case failed(why: String, remedy: String)
    /// It broke it in an earlier conversation, whose last frames these are.
    case noted(why: String, remedy: String, transcript: [String])
    /// Nothing can be found out here.
    case skipped(reason: String)
    /// The plugin breaks another requirement, so that this check never got to its point.
    case unreachable(requirement: String, why: String, remedy: String)

    /// One word for "what was expected and what came".
    static func expected(_ what: String, found: String, fix: String) -> CheckStop {
        .failed(why: "expected \(what); \(found)", remedy: fix)
    }
}
