#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Frames over a blocking stream socket. read(2), write(2) and poll(2) are all that it asks of the kernel.
final class SocketLink: FrameLink {
    private let descriptor: Int32
    private var decoder = FrameDecoder()
    /// Credentials pass through here, so it is one place in memory, overwritten after each read.
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        SecretBytes.wipe(chunk)
        chunk.deallocate()
    }

    var bodyLimit: Int {
        get { decoder.bodyLimit }
        set { decoder.bodyLimit = newValue }
    }

    func send(_ frame: Frame) throws(SessionError) {
        var bytes = frame.encoded()
        defer { bytes.wipe() }
        var sent = 0
        while sent < bytes.count {
            try waitUntilWritable()
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: sent), min($0.count - sent, Self.pieceBytes))
            }
            if count > 0 {
                sent += count
            } else if errno == EPIPE || errno == ECONNRESET {
                throw .hostGone
            } else if errno != EINTR {
                throw .socket(call: "write", errno: errno)
            }
        }
    }

    func receive(before deadline: UInt64?) throws(SessionError) -> LinkEvent {
        while true {
            do {
                if let frame = try decoder.next() { return .frame(frame) }
            } catch {
                throw .protocolBroken(error)
            }
            if let deadline, try !isReadable(before: deadline) { return .nothingYet }
            if try !readMore() { return .closed }
        }
    }

    /// Reads once into the decoder; false at the end of file.
    private func readMore() throws(SessionError) -> Bool {
        let count = read(descriptor, chunk.baseAddress, chunk.count)
        if count > 0 {
            let fresh = UnsafeMutableRawBufferPointer(rebasing: chunk[..<count])
            decoder.append(fresh)
            SecretBytes.wipe(fresh)
        } else if count == 0 || errno == ECONNRESET {
            return false
        } else if errno != EINTR {
            throw .socket(call: "read", errno: errno)
        }
        return true
    }

    /// A Unix socket that poll(2) calls writable has room for this much, so that write(2) does not block.
    private static let pieceBytes = 1 << 15

    /// Goes on reading as long as there is no room to write. Were both sides to wait for room, they would wait for ever
    /// (abi-v1.md, ABI-3.4).
    private func waitUntilWritable() throws(SessionError) {
        // poll(2) would ignore a negative descriptor, and wait for nothing.
        guard descriptor >= 0 else { throw .socket(call: "poll", errno: EBADF) }
        while true {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
            let ready = poll(&request, 1, -1)
            if ready < 0 {
                if errno == EINTR { continue }
                throw .socket(call: "poll", errno: errno)
            }
            // A broken socket counts as writable: write(2) then says how.
            if request.revents & ~Int16(POLLIN) != 0 { return }
            if try !readMore() { throw .hostGone }
        }
    }

    private func isReadable(before deadline: UInt64) throws(SessionError) -> Bool {
        while true {
            let now = deadline == 0 ? 0 : Clock.unixMilliseconds()
            let timeout = deadline > now ? Int32(clamping: deadline - now) : 0
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, timeout)
            // A closed or broken socket counts as readable: read(2) then says which.
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { throw .socket(call: "poll", errno: errno) }
        }
    }
}
