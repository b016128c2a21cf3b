/// What went wrong at the ABI: an open code for programs, a sentence for people.
public struct ABIError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Codes are open: a peer may send one that this version does not list.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        public static let frameTooLarge = Code("frame-too-large")
        public static let malformedFrame = Code("malformed-frame")
        public static let unknownKind = Code("unknown-kind")
        public static let unknownCriticalField = Code("unknown-critical-field")
        public static let missingField = Code("missing-field")
        public static let noCommonVersion = Code("no-common-version")
        public static let unexpectedMessage = Code("unexpected-message")
        public static let unknownStream = Code("unknown-stream")
        public static let flowControl = Code("flow-control")
        public static let deadlineExceeded = Code("deadline-exceeded")
        public static let cancelled = Code("cancelled")
        public static let permissionDenied = Code("permission-denied")
        public static let credentialMissing = Code("credential-missing")
        public static let unauthenticated = Code("unauthenticated")
        public static let unknownTool = Code("unknown-tool")
        public static let invalidArguments = Code("invalid-arguments")
        public static let unavailable = Code("unavailable")
        public static let pluginFailed = Code("plugin-failed")
        public static let internalError = Code("internal-error")

        /// Those that a plugin's error may carry to a caller: they speak of its own work (abi-v1.md, ABI-9.7).
        public static let ofPlugins: [Code] = [
            .deadlineExceeded, .cancelled, .permissionDenied, .credentialMissing, .unknownTool, .invalidArguments,
            .unavailable, .pluginFailed, .internalError,
        ]
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }
}
