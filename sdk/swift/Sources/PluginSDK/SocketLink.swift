#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Frames over a blocking stream socket. recvmsg(2), write(2) and poll(2) are all that it asks of the kernel, and a
/// pipe(2) once it is shared between threads.
///
/// What the host has no room for stays in `outbox`. `receive` writes it as soon as there is room: a side that waits to
/// write has to go on reading (abi-v1.md, ABI-3.4).
final class SocketLink: FrameLink {
    private let descriptor: Int32
    private var decoder = FrameDecoder()
    /// Credentials pass through here, so it is one place in memory, overwritten after each read.
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var passed = PassedDescriptors()
    /// Guards what follows: who sends is not always who receives.
    private let lock = Lock()
    /// Encoded frames that are not yet written, each overwritten once it is.
    private var outbox: [[UInt8]] = []
    /// How much of the first of them has been written.
    private var written = 0
    private var waitingBytes = 0
    /// Wakes the reader; only where `share` was called.
    private var wake: (read: Int32, write: Int32)?
    /// There is never more than one byte in the pipe, so that to write one does not block.
    private var isWoken = false

    /// A Unix socket that poll(2) calls writable has room for this much, so that write(2) does not block.
    private static let pieceBytes = 1 << 15
    /// A sender on the reader's own thread waits where more than this waits to be written.
    private static let outboxBytes = 1 << 20

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        SecretBytes.wipe(chunk)
        chunk.deallocate()
        for index in outbox.indices { outbox[index].wipe() }
        if let wake {
            close(wake.read)
            close(wake.write)
        }
    }

    var bodyLimit: Int {
        get { decoder.bodyLimit }
        set { decoder.bodyLimit = newValue }
    }

    var isCongested: Bool { lock.hold { waitingBytes > Self.outboxBytes } }

    func share() throws(SessionError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .socket(call: "pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = (ends[0], ends[1])
    }

    func send(_ frame: Frame) throws(SessionError) {
        let isAlone = wake == nil
        let isTooMuch = try lock.hold { () throws(SessionError) in
            try put(frame)
            if !outbox.isEmpty, let wake, !isWoken {
                isWoken = true
                _ = write(wake.write, [1], 1)
            }
            return waitingBytes > Self.outboxBytes
        }
        if isAlone, isTooMuch { try drain(to: Self.outboxBytes) }
    }

    func takeDescriptor() -> Int32? { passed.take() }

    func finish() throws(SessionError) { try drain(to: 0) }

    func receive(before deadline: UInt64?) throws(SessionError) -> LinkEvent {
        passed.drop()
        while true {
            do {
                if let frame = try decoder.next() {
                    passed.delivered(frame)
                    return .frame(frame)
                }
            } catch {
                throw .protocolBroken(error)
            }
            switch try wait(before: deadline) {
            case .readable: if try !readMore() { return .closed }
            case .writable: try lock.hold { () throws(SessionError) in try writeWhatFits() }
            case .nothing: return .nothingYet
            }
        }
    }

    /// Reads once into the decoder; false at the end of file.
    private func readMore() throws(SessionError) -> Bool {
        let count = passed.receive(from: descriptor, into: chunk)
        if count > 0 {
            let fresh = UnsafeMutableRawBufferPointer(rebasing: chunk[..<count])
            decoder.append(UnsafeRawBufferPointer(fresh))
            SecretBytes.wipe(fresh)
        } else if count == 0 || errno == ECONNRESET {
            return false
        } else if errno != EINTR {
            throw .socket(call: "recvmsg", errno: errno)
        }
        return true
    }

    /// Writes a frame as far as there is room. The rest waits in `outbox`, also where writing fails. The caller holds
    /// the lock.
    private func put(_ frame: Frame) throws(SessionError) {
        var bytes = frame.encoded()
        waitingBytes += bytes.count
        defer { if !bytes.isEmpty { outbox.append(bytes) } }
        if outbox.isEmpty { try writeSome(of: &bytes) }
    }

    /// Writes as long as there is room. The caller holds the lock.
    private func writeWhatFits() throws(SessionError) {
        while !outbox.isEmpty {
            try writeSome(of: &outbox[0])
            guard outbox[0].isEmpty else { return }
            outbox.removeFirst()
        }
    }

    /// Writes as much of an encoded frame as there is room for; once that is all of it, overwrites and empties it. The
    /// caller holds the lock.
    private func writeSome(of frame: inout [UInt8]) throws(SessionError) {
        // poll(2) would ignore a negative descriptor, and wait for nothing.
        guard descriptor >= 0 else { throw .socket(call: "poll", errno: EBADF) }
        while written < frame.count {
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&request, 1, 0) > 0 else { return }
            // A broken socket counts as writable: write(2) then says how.
            let count = frame.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: written), min($0.count - written, Self.pieceBytes))
            }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw errno == EPIPE || errno == ECONNRESET ? .hostGone : .socket(call: "write", errno: errno)
            }
            written += count
            waitingBytes -= count
        }
        frame.wipe()
        frame = []
        written = 0
    }

    /// Waits until no more than `limit` bytes are unwritten, and reads meanwhile. On the reader's thread only.
    private func drain(to limit: Int) throws(SessionError) {
        while lock.hold({ waitingBytes > limit }) {
            switch try wait(before: nil) {
            case .readable: if try !readMore() { throw .hostGone }
            case .writable: try lock.hold { () throws(SessionError) in try writeWhatFits() }
            case .nothing: break
            }
        }
    }

    private enum Readiness { case readable, writable, nothing }

    private func wait(before deadline: UInt64?) throws(SessionError) -> Readiness {
        guard descriptor >= 0 else { throw .socket(call: "poll", errno: EBADF) }
        while true {
            let isFull = lock.hold { !outbox.isEmpty }
            // poll(2) passes over a negative descriptor. A pair, because the type of an array of them would have to be
            // made by each plugin as it starts.
            var requests = (
                pollfd(fd: descriptor, events: Int16(isFull ? POLLIN | POLLOUT : POLLIN), revents: 0),
                pollfd(fd: wake?.read ?? -1, events: Int16(POLLIN), revents: 0)
            )
            let ready = withUnsafeMutableBytes(of: &requests) {
                poll($0.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, Self.timeout(before: deadline))
            }
            guard ready >= 0 else {
                if errno == EINTR { continue }
                throw .socket(call: "poll", errno: errno)
            }
            if ready == 0 { return .nothing }
            if let wake, requests.1.revents != 0 {
                lock.hold {
                    _ = read(wake.read, chunk.baseAddress, 1)
                    isWoken = false
                }
            }
            if requests.0.revents & Int16(POLLOUT) != 0 { return .writable }
            // A closed or broken socket counts as readable: recvmsg(2) then says which.
            if requests.0.revents != 0 { return .readable }
        }
    }

    private static func timeout(before deadline: UInt64?) -> Int32 {
        guard let deadline else { return -1 }
        let now = deadline == 0 ? 0 : Clock.unixMilliseconds()
        return deadline > now ? Int32(clamping: deadline - now) : 0
    }
}
