internal import HostAPI

/// Why a command failed, in one line for a person, with its exit code.
struct CommandFailure: Error, CustomStringConvertible {
    /// What `--json` shows: the host's own answer where there is one.
    let shown: APIFailure
    let exitCode: Int32

    init(_ message: String, exitCode: Int32 = 1) {
        shown = APIFailure(code: "failed", message: message)
        self.exitCode = exitCode
    }

    init(_ failure: APIFailure) {
        shown = failure
        exitCode = 1
    }

    var message: String { shown.message }
    var description: String { message }
}
