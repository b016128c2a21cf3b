internal import Egress
internal import Glibc
public import PluginABI

/// What the host knows of a call while a plugin serves it; host services act within it.
public struct CallContext: Sendable {
    public var requestID: String
    public var caller: Caller
    public var plugin: InstalledPlugin
    public var instance: String
    public var tool: String
    /// When the host ends it, whatever becomes of the wall clock: CLOCK_MONOTONIC in nanoseconds. The plugin is told a
    /// time of the wall clock (abi-v1.md), as it is when the call is sent.
    public var due: UInt64
    /// Knows what must not be said of this call.
    var redactor: Redactor
    /// What host services may use and the plugin never sees; nil where the tool declares none.
    var sealed: SealedCredentials?
    var denials = DenialCounter()
    /// Tells the plugin's log.
    var note: @Sendable (Denial) -> Void = { _ in }
    /// Tells the caller how far the call is; nil where nobody asked.
    var progress: (@Sendable (Message.Progress) -> Void)?
    /// Takes the bytes of the answer as they come; nil where they are collected.
    var stream: AnswerStream?
}

/// What plugins may ask of the host.
public protocol HostServices: Sendable {
    func answer(_ call: Message.HostCall, in context: CallContext) async throws(ServiceFailure) -> ServiceAnswer

    /// Whether the same request may succeed later without a change.
    func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool
}

extension HostServices {
    public func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool {
        error.code == .unavailable || error.code == .deadlineExceeded
    }

    /// The payload of the answer; a socket beside it is closed.
    func perform(_ call: Message.HostCall, in context: CallContext) async throws(ABIError) -> Message.Payload {
        do throws(ServiceFailure) {
            return try await answer(call, in: context).payload
        } catch {
            throw error.error
        }
    }
}

/// What a host service answers.
public struct ServiceAnswer: Sendable {
    public var payload: Message.Payload
    /// Of `net.connect` only: travels with the first byte of the answer's frame.
    var socket: PassedSocket?

    public init(_ payload: Message.Payload) { self.payload = payload }
}

/// Why a host service gave nothing.
public struct ServiceFailure: Error, Sendable, Equatable {
    /// What the plugin is told.
    public var error: ABIError
    /// Where the core of egress refused: its rule.
    var rule: EgressRefusal.Rule?

    public init(_ error: ABIError) { self.error = error }

    init(_ error: ABIError, by rule: EgressRefusal.Rule) {
        self.error = error
        self.rule = rule
    }

    /// Something that is not allowed, or a quota that is used up; not a request that is wrong or a peer that is gone.
    var isDenial: Bool { error.code == .permissionDenied || rule == .quota }
}

/// A connected socket on its way to a plugin. Closed when nobody holds this object any more, so exactly once.
final class PassedSocket: Sendable {
    let descriptor: Int32

    /// Takes over the descriptor.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}
