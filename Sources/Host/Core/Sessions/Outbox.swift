internal import PluginABI

/// Frames that wait for room in a socket. Each is kept as it came and wiped in place once it is sent: a buffer that
/// grows and shifts would leave copies of credentials behind.
struct Outbox {
    private var frames: [[UInt8]] = []
    /// Bytes of the first frame that are sent already.
    private var sentOfFirst = 0
    private(set) var byteCount = 0

    var isEmpty: Bool { frames.isEmpty }

    /// - Parameter frame: not used by the caller afterwards, so that it is wiped and not a copy of it.
    mutating func append(_ frame: consuming [UInt8]) {
        guard !frame.isEmpty else { return }
        byteCount += frame.count
        frames.append(frame)
    }

    /// Hands out bytes until the socket takes no more.
    ///
    /// - Parameter send: takes bytes and returns how many went; 0 or less for none.
    mutating func drain(_ send: (UnsafeRawBufferPointer) -> Int) {
        var done = 0
        while done < frames.count {
            let (offset, length) = (sentOfFirst, frames[done].count)
            let count = frames[done].withUnsafeMutableBytes { buffer in
                let count = max(send(UnsafeRawBufferPointer(rebasing: buffer[offset...])), 0)
                SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + count]))
                return count
            }
            byteCount -= count
            guard offset + count == length else {
                sentOfFirst += count
                break
            }
            sentOfFirst = 0
            done += 1
        }
        frames.removeFirst(done)
    }

    /// Overwrites and forgets everything.
    mutating func wipe() {
        for position in frames.indices { frames[position].wipe() }
        self = Outbox()
    }
}
