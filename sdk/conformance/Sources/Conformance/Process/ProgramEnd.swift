/// How a program ended.
enum ProgramEnd: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)
    /// It went in a way that nobody saw.
    case lost

    var description: String {
        switch self {
        case .exited(let code): "exited with status \(code)"
        case .signalled(13): "was killed by signal 13 (SIGPIPE)"
        case .signalled(31): "was killed by signal 31 (SIGSYS: the jail's system call filter)"
        case .signalled(let number): "was killed by signal \(number)"
        case .lost: "vanished"
        }
    }
}

/// A program that the kit started. Whoever holds it ends it.
protocol RunningProgram: AnyObject, Sendable {
    /// How it ended; nil while it runs.
    func end() -> ProgramEnd?
    /// Ends it and all that it started, now, and waits until that is so.
    func kill()
}

/// The kit's ends of a started program.
struct StartedProgram: Sendable {
    var program: any RunningProgram
    var channel: Int32
    var output: Int32
    var errors: Int32
}

/// The program could not be started at all, which is no plugin's failure of a requirement.
public struct StartFailure: Error, Sendable, CustomStringConvertible {
    public var description: String
}
