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
    ///   - room: where small frames are put together, so that they leave with one call of `send`; it is wiped.
    ///   - send: takes bytes and returns how many went; 0 or less for none.
    ///   - pass: the same for the first bytes of a frame with a socket, which leaves alone.
    mutating func drain(
        gatheredIn room: UnsafeMutableRawBufferPointer? = nil, _ send: (UnsafeRawBufferPointer) -> Int,
        passing pass: (UnsafeRawBufferPointer, PassedSocket) -> Int = { _, _ in 0 }
    ) {
        var done = 0
        while done < frames.count {
            let gathered = room.map { gather(from: done, in: $0) } ?? 0
            let sent: Int
            if let room, gathered > 0 {
                let bytes = UnsafeMutableRawBufferPointer(rebasing: room[..<gathered])
                sent = max(send(UnsafeRawBufferPointer(bytes)), 0)
                SecretBytes.wipe(bytes)
            } else {
                let socket = sockets[done]
                sent = frames[done].withUnsafeBytes {
                    let rest = UnsafeRawBufferPointer(rebasing: $0[sentOfFirst...])
                    return max(socket.map { pass(rest, $0) } ?? send(rest), 0)
                }
                if sent > 0 { sockets[done] = nil }
            }
            let offered = gathered > 0 ? gathered : frames[done].count - sentOfFirst
            release(sent, &done)
            if sent < offered { break }
        }
        frames.removeFirst(done)
        sockets.removeFirst(done)
    }

    /// Copies whole frames to `room` as far as they fit and carry no socket. Not worth it for one: 0 then.
    private func gather(from first: Int, in room: UnsafeMutableRawBufferPointer) -> Int {
        var (count, filled, start) = (0, 0, sentOfFirst)
        for (frame, socket) in zip(frames[first...], sockets[first...]) {
            guard socket == nil, frame.count - start <= room.count - filled else { break }
            guard count > 0 || first + 1 < frames.count else { return 0 }
            frame.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: room[filled...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start...]))
            }
            (count, filled, start) = (count + 1, filled + frame.count - start, 0)
        }
        return filled
    }

    /// Wipes the first `sent` bytes that are left, and counts the frames that have gone.
    private mutating func release(_ sent: Int, _ done: inout Int) {
        byteCount -= sent
        var sent = sent
        while sent > 0 {
            let count = min(sent, frames[done].count - sentOfFirst)
            let start = sentOfFirst
            frames[done].withUnsafeMutableBytes {
                SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + count]))
            }
            sent -= count
            sentOfFirst += count
            guard sentOfFirst == frames[done].count else { break }
            sentOfFirst = 0
            done += 1
        }
    }

    /// Overwrites and forgets everything.
    mutating func wipe() {
        for position in frames.indices { frames[position].wipe() }
        self = Outbox()
    }
}
