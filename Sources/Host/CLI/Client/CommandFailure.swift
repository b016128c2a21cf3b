internal import HostAPI

/// Why a command failed, in one line for a person, with its exit code.
struct CommandFailure: Error, CustomStringConvertible {
    var message: String
    var code = "failed"
    var exitCode: Int32 = 1
    /// Of a call that failed.
    var request: String?

    init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    init(_ failure: APIFailure) {
        message = failure.message
        code = failure.code
        request = failure.request
    }

    var description: String { message }
}
