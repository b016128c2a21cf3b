/// The body of an answer that comes piece by piece.
public struct BodyStream: Sendable {
    /// Waits for the next piece; nil at the end, and as soon as the waiting task is cancelled.
    let next: @Sendable () async -> [UInt8]?
    /// No more pieces will be asked for, whether or not the end was reached. May be called more than once.
    let close: @Sendable () -> Void
}
