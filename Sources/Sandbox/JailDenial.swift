public import JSONBytes

/// One system call that a jail's filter refused, or several alike. Made from registers only, but for `isPath`: nothing
/// else was read from the memory of the program.
public struct JailDenial: Sendable, Equatable {
    /// Unix time in milliseconds at which the host saw it (the last one, of several).
    public let time: Int64
    /// Name of the call, for example `socket`; `call 462` for a number that has no name here.
    public let call: String
    public let number: Int32
    /// The six argument registers.
    public let arguments: [UInt64]
    /// The arguments that the decision hangs on, in words: `AF_VSOCK, SOCK_STREAM`. Empty where the name says it all.
    public let detail: String
    /// What the program was answered, for example `EPERM`.
    public let answer: String
    /// The profile whose filter refused it.
    public let profile: String
    /// Why it is refused, as the profile's data has it.
    public let reason: String
    /// What to do instead, or which profile allows it; says so when nothing does.
    public let advice: String
    /// The process, as the host sees it.
    public let processID: Int32
    /// A path that the jail does not have: `detail` is the path, read from the program's memory, which may have changed
    /// since; `answer` is what the kernel says of such a path. Only where `JailWeakening.shownPaths` was given.
    public var isPath = false
    /// How many refused calls this event stands for; more than 1 when they came faster than events are made.
    public internal(set) var count = 1
    /// Told later than it happened, because too many came at once.
    public internal(set) var isHeldBack = false

    /// One line for a log.
    public var text: String {
        let times = count > 1 ? " (\(count) times)" : ""
        let what = detail.isEmpty ? call : "\(call)(\(detail))"
        if isPath { return "\(call) \(detail): \(reason) (\(answer)); \(advice)" }
        return "\(what) refused with \(answer)\(times): \(reason); profile \(profile); \(advice)"
    }

    public var json: JSONValue {
        [
            "time": JSONValue(Int(time)), "call": .string(call), "number": JSONValue(Int(number)),
            "arguments": .array(arguments.map { .string("0x" + String($0, radix: 16)) }),
            "detail": .string(detail),
            "answer": .string(answer), "profile": .string(profile), "reason": .string(reason),
            "advice": .string(advice), "processID": JSONValue(Int(processID)), "count": JSONValue(count),
            "isPath": .bool(isPath),
        ]
    }
}
