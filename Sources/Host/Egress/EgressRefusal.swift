/// Why a connection was not made: the rule, and a sentence that says what was asked for and what to do.
public struct EgressRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Rule: String, Sendable {
        /// The host's name is not one.
        case name
        /// Nothing allows this host and port.
        case notAllowed = "not-allowed"
        /// The name leads to an address that plugins may not reach.
        case address
        /// The name leads to this host itself, which takes a weakening.
        case loopback
        /// The name has no address, or nobody answered there.
        case unreachable
        /// A quota is used up.
        case quota
        /// What the client of a proxy said is not what a proxy takes.
        case request
    }
    public var rule: Rule
    public var message: String

    public init(_ rule: Rule, _ message: String) {
        self.rule = rule
        self.message = message
    }

    public var description: String { message }

    /// Whether the same request may succeed later without a change.
    public var isRetryable: Bool { rule == .unreachable || rule == .quota }

    /// A stranger's text as it may stand in a message: at most 80 bytes, printable ASCII, the rest as `?`.
    static func printable(_ text: some StringProtocol) -> String {
        let shown = text.utf8.prefix(80).map { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self) + (text.utf8.dropFirst(80).isEmpty ? "" : "…")
    }
}
