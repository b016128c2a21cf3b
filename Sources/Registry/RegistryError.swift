/// Why a plugin could not be read, stored or found again.
public struct RegistryError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Sendable, Hashable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let unreadable = Code(rawValue: "unreadable")
        public static let invalidManifest = Code(rawValue: "invalid-manifest")
        public static let invalidBundle = Code(rawValue: "invalid-bundle")
        public static let missingExecutable = Code(rawValue: "missing-executable")
        public static let tooLarge = Code(rawValue: "too-large")
        public static let digestMismatch = Code(rawValue: "digest-mismatch")
        public static let storeFailed = Code(rawValue: "store-failed")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
