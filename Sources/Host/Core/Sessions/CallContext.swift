public import PluginABI

/// What the host knows of a call while a plugin serves it; host services act within it.
public struct CallContext: Sendable {
    public var requestID: String
    public var caller: Caller
    public var plugin: InstalledPlugin
    public var instance: String
    public var tool: String
    /// Absolute, Unix milliseconds.
    public var deadline: UInt64
    /// Knows what must not be said of this call.
    var redactor: Redactor
    var denials = DenialCounter()
    /// Tells the plugin's log.
    var note: @Sendable (Denial) -> Void = { _ in }
    /// Tells the caller how far the call is; nil where nobody asked.
    var progress: (@Sendable (Message.Progress) -> Void)?
}

/// What plugins may ask of the host.
public protocol HostServices: Sendable {
    func perform(_ call: Message.HostCall, in context: CallContext) async throws(ABIError) -> Message.Payload

    /// Whether the same request may succeed later without a change.
    func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool
}

extension HostServices {
    public func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool {
        error.code == .unavailable || error.code == .deadlineExceeded
    }
}
