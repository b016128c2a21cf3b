/// The field tags of each message (abi-v1.md section 4.4). Numbers are for ever and are per kind.
enum Tag {
    static let versionMinimum = FieldTag(1)  // hello
    static let versionMaximum = FieldTag(2)
    static let name = FieldTag(3)
    static let sdk = FieldTag(4)

    static let version = FieldTag(1)  // welcome
    static let instance = FieldTag(2)
    static let bodyLimit = FieldTag(3)

    static let code = FieldTag(1)  // abort, error
    static let message = FieldTag(2)
    static let retryable = FieldTag(3)

    static let configuration = FieldTag(1)  // initialize
    static let stopDeadline = FieldTag(1)  // stop
    static let nonce = FieldTag(1)  // ping, pong
    static let reason = FieldTag(1)  // cancel, cancelled

    static let tool = FieldTag(1)  // call
    static let arguments = FieldTag(2)
    static let deadline = FieldTag(3)
    static let requestID = FieldTag(4)
    static let traceparent = FieldTag(5)
    static let tracestate = FieldTag(6)
    static let credential = FieldTag(0x8001)  // critical: whoever gets a credential must know what it is
    static let credentialName = FieldTag(1)  // inside a credential
    static let credentialValue = FieldTag(2)

    static let json = FieldTag(1)  // result
    static let bytes = FieldTag(2)

    static let service = FieldTag(1)  // host call
    static let parent = FieldTag(2)
    static let serviceJSON = FieldTag(3)
    static let serviceBytes = FieldTag(4)
    static let serviceTraceparent = FieldTag(5)

    static let done = FieldTag(1)  // progress
    static let total = FieldTag(2)
    static let progressMessage = FieldTag(3)

    static let dataBytes = FieldTag(1)  // data
    static let creditBytes = FieldTag(1)  // credit
    static let tools = FieldTag(1)  // tools

    static let level = FieldTag(1)  // log
    static let logMessage = FieldTag(2)
    static let logFields = FieldTag(3)
}
