/// Why a session ended other than by `disposed`.
public enum SessionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The host closed the socket.
    case hostGone
    /// The host sent `abort`.
    case abortedByHost(ABIError)
    /// The host broke the protocol; it has been sent `abort` with this error.
    case protocolBroken(ABIError)
    /// The plugin refused to start or is not put together rightly.
    case notStarted(String)
    /// A system call on the socket failed with this errno.
    case socket(call: String, errno: Int32)

    public var description: String {
        switch self {
        case .hostGone: "the host closed the connection"
        case .abortedByHost(let error): "the host ended the session: \(error)"
        case .protocolBroken(let error): "the host broke the protocol: \(error)"
        case .notStarted(let reason): "not started: \(reason)"
        case .socket(let call, SessionError.badDescriptor):
            "\(call) failed: file descriptor 3 is not open; plugins are started by nexusd, not by hand"
        case .socket(let call, let errno): "\(call) failed with errno \(errno)"
        }
    }

    /// EBADF, errno(3); the same on every Linux.
    private static let badDescriptor: Int32 = 9
}
