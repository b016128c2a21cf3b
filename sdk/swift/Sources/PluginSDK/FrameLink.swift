/// What a session needs from its transport. The socket is one; tests put a scripted host behind it.
protocol FrameLink: AnyObject {
    /// The longest body accepted from now on, in bytes.
    var bodyLimit: Int { get set }

    /// Hands a frame to the host, all of it, and overwrites its own copies.
    func send(_ frame: Frame) throws(SessionError)

    /// The next frame. Waits until `deadline`: Unix time in milliseconds, nil for ever, 0 not at all.
    ///
    /// - Throws: `protocolBroken` for bytes that are no frames, `socket` if the transport fails.
    func receive(before deadline: UInt64?) throws(SessionError) -> LinkEvent
}

/// Not copyable, so that a frame that holds credentials has one owner, who can overwrite it.
enum LinkEvent: ~Copyable {
    case frame(Frame)
    /// The deadline passed.
    case nothingYet
    /// The host closed its end.
    case closed
}
