/// What a session needs from its transport. The socket is one; tests put a scripted host behind it.
package protocol FrameLink: AnyObject {
    /// The longest body accepted from now on, in bytes.
    var bodyLimit: Int { get set }

    /// Hands a frame to the host, all of it, and overwrites its own copies. One call at a time.
    func send(_ frame: Frame) throws(SessionError)

    /// The next frame. Waits until `deadline`: Unix time in milliseconds, nil for ever, 0 not at all. From one thread.
    ///
    /// - Throws: `protocolBroken` for bytes that are no frames, `socket` if the transport fails.
    func receive(before deadline: UInt64?) throws(SessionError) -> LinkEvent

    /// The descriptor that came with the frame received last (abi-v1.md, ABI-7.22); the caller closes it. One that
    /// nobody takes is closed when the next frame is asked for.
    func takeDescriptor() -> Int32?

    /// From now on `send` comes from other threads than `receive` as well, and must not wait for the host.
    func share() throws(SessionError)

    /// Waits until everything has been handed over.
    func finish() throws(SessionError)

    /// True while the host takes less than it is sent; what can be left out then should be.
    var isCongested: Bool { get }
}

extension FrameLink {
    package func takeDescriptor() -> Int32? { nil }
    package func share() throws(SessionError) {}
    package func finish() throws(SessionError) {}
    package var isCongested: Bool { false }
}

/// Not copyable, so that a frame that holds credentials has one owner, who can overwrite it.
package enum LinkEvent: ~Copyable {
    case frame(Frame)
    /// The deadline passed.
    case nothingYet
    /// The host closed its end.
    case closed
}
