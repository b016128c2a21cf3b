internal import PluginABI

/// Frames that wait for room in a socket. Each is kept as it came and wiped in place once it is sent: a buffer that
/// grows and shifts would leave copies of credentials behind.
struct Outbox {
    private var frames: [[UInt8]] = []
    /// What travels with the first byte of a frame, for each of them; let go of as soon as that byte is sent.
    private var sockets: [PassedSocket?] = []
    /// Bytes of the first frame that are sent already.
    private var sentOfFirst = 0
    private(set) var byteCount = 0

    var isEmpty: Bool { frames.isEmpty }
    var socketCount: Int { sockets.count { $0 != nil } }

    /// - Parameter frame: not used by the caller afterwards, so that it is wiped and not a copy of it.
    mutating func append(_ frame: consuming [UInt8], passing socket: PassedSocket? = nil) {
        guard !frame.isEmpty else { return }
        byteCount += frame.count
        frames.append(frame)
        sockets.append(socket)
    }

    /// Hands out bytes until the socket takes no more.
    ///
    /// - Parameters:
    ///   - send: takes bytes and returns how many went; 0 or less for none.
    ///   - pass: the same for the first bytes of a frame with a socket.
    mutating func drain(
        _ send: (UnsafeRawBufferPointer) -> Int,
        passing pass: (UnsafeRawBufferPointer, PassedSocket) -> Int = { _, _ in 0 }
    ) {
        var done = 0
        while done < frames.count {
            let (offset, length) = (sentOfFirst, frames[done].count)
            let socket = sockets[done]
            let count = frames[done].withUnsafeMutableBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let count = max(socket.map { pass(rest, $0) } ?? send(rest), 0)
                SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + count]))
                return count
            }
            byteCount -= count
            if count > 0 { sockets[done] = nil }
            guard offset + count == length else {
                sentOfFirst += count
                break
            }
            sentOfFirst = 0
            done += 1
        }
        frames.removeFirst(done)
        sockets.removeFirst(done)
    }

    /// Overwrites and forgets everything.
    mutating func wipe() {
        for position in frames.indices { frames[position].wipe() }
        self = Outbox()
    }
}
