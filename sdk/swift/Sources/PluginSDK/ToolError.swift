/// Why a call failed, in words that the agent at the other end can act on.
public struct ToolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Open: the codes of the ABI, or a plugin's own.
    public var code: ABIError.Code
    public var message: String
    /// True if the same call may succeed later without any change.
    public var retryable: Bool

    public init(_ code: ABIError.Code, _ message: String, retryable: Bool = false) {
        self.code = code
        self.message = message
        self.retryable = retryable
    }

    /// With a code of the plugin's own.
    public init(_ code: String, _ message: String, retryable: Bool = false) {
        self.init(ABIError.Code(code), message, retryable: retryable)
    }

    public var description: String { "\(code): \(message)" }
}

extension ToolError {
    static let cancelled = ToolError(.cancelled, "the host cancelled the call")

    /// Any error as the host is told of it.
    init(describing error: any Error) {
        self = error as? ToolError ?? ToolError(.pluginFailed, "the tool failed: \(error)")
    }

    /// Within the limits of the ABI, whatever the author wrote.
    var clipped: ToolError {
        var copy = self
        copy.code = ABIError.Code(code.rawValue.clipped(toBytes: ABILimits.nameBytes))
        copy.message = message.clipped(toBytes: ABILimits.textBytes)
        return copy
    }
}

extension String {
    /// The longest prefix of whole scalars that fits; an ellipsis tells of a cut.
    func clipped(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let ellipsis = "…"
        var kept = String.UnicodeScalarView()
        var bytes = ellipsis.utf8.count
        for scalar in unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= limit else { break }
            kept.append(scalar)
        }
        return String(kept) + ellipsis
    }
}
