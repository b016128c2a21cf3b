import CJail

/// Why a jail could not be built, or a launcher not be started.
public struct JailError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure. Open: code that switches over it needs a default.
    public struct Code: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        /// The policy asks for something that no jail can have.
        public static let policy = Code(rawValue: "policy")
        /// nexus-jail is missing, of another version, or gone.
        public static let launcher = Code(rawValue: "launcher")
        /// A layer could not be applied, so nothing was started.
        public static let layer = Code(rawValue: "layer")
        /// The start took longer than `JailLauncher.startSeconds`.
        public static let timeout = Code(rawValue: "timeout")
        /// The host ran out of something (descriptors, memory) on the way.
        public static let system = Code(rawValue: "system")
    }

    public let code: Code
    /// What failed, with which value, and what to do.
    public let message: String
    /// The layer that could not be applied, as `JailReport` names it.
    public let layer: String?
    /// The kernel's answer, where there was one.
    public let errno: Int32?

    public init(_ code: Code, _ message: String, layer: String? = nil, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.layer = layer
        self.errno = errno
    }

    public var description: String { message }

    /// nexus-jail died over a start: its keeper starts another.
    static func launcherLost(jail: String) -> JailError {
        JailError(.launcher, "jail \"\(jail)\": nexus-jail has ended and is being started again; try again")
    }

    /// A failed call of the host itself.
    static func system(_ what: String, _ number: Int32) -> JailError {
        JailError(.system, "\(what): \(ErrnoName.describe(number))", errno: number)
    }
}

/// The one place that turns errno values into words.
enum ErrnoName {
    /// For example `EPERM (Operation not permitted)`.
    static func describe(_ number: Int32) -> String { "\(name(number)) (\(String(cString: cjail_errno_text(number))))" }
    /// For example `EPERM`.
    static func name(_ number: Int32) -> String { String(cString: cjail_errno_name(number)) }
}
