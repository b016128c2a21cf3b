/// Why the log could not be opened, written or read.
public struct AuditError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Sendable, Hashable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let unwritable = Code(rawValue: "audit-unwritable")
        public static let unreadable = Code(rawValue: "audit-unreadable")
        public static let broken = Code(rawValue: "audit-broken")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
