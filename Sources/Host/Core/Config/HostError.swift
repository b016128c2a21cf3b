/// An error that a person or an agent will read: a code, what failed with which value, and what to do next.
public struct HostError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        public static let unauthenticated = Code("unauthenticated")
        public static let forbidden = Code("forbidden")
        public static let unknownTool = Code("unknown-tool")
        public static let unknownPlugin = Code("unknown-plugin")
        public static let invalidArguments = Code("invalid-arguments")
        public static let invalidRequest = Code("invalid-request")
        public static let credentialMissing = Code("credential-missing")
        public static let conflict = Code("conflict")
        public static let invalidManifest = Code("invalid-manifest")
        public static let unsupported = Code("unsupported")
        public static let jailFailed = Code("jail-failed")
        public static let pluginFailed = Code("plugin-failed")
        public static let unavailable = Code("unavailable")
        public static let deadlineExceeded = Code("deadline-exceeded")
        public static let auditFailed = Code("audit-failed")
        public static let secretUnreadable = Code("secret-unreadable")
        public static let homeInUse = Code("home-in-use")
        public static let addressInUse = Code("address-in-use")
        public static let invalidConfiguration = Code("invalid-configuration")
        public static let storageFailed = Code("storage-failed")
    }

    public var code: Code
    public var message: String
    /// True when the same request may succeed later without a change.
    public var retryable: Bool
    /// When that may be; nil where nobody knows.
    public var retryAfterMilliseconds: Int?
    /// The call that failed; nil for what was no call.
    public var call: CallIdentity?
    /// With `credentialMissing`: what the call's principal could give; nil where only an admin can help.
    public var missing: MissingCredentials?

    public init(
        _ code: Code, _ message: String, retryable: Bool = false, retryAfterMilliseconds: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    public var description: String { message }
}

/// What a call is known by: in the logs of this host, and in those of others.
public struct CallIdentity: Sendable, Equatable {
    public var requestID: String
    /// The call's own span, as a `traceparent` (W3C Trace Context).
    public var traceparent: String

    public init(requestID: String, traceparent: String) {
        self.requestID = requestID
        self.traceparent = traceparent
    }
}
