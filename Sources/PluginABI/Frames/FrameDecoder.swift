/// Turns a byte stream from an untrusted peer into frames. Pure and incremental: feed it bytes in any pieces.
///
/// A header is judged as soon as its 16 bytes are there, before any of its body is awaited or stored. After the first
/// error the stream has no more frame boundaries, so every later call throws the same error.
///
/// Frames are lent where they lie and overwritten afterwards: a frame costs no memory of its own.
public struct FrameDecoder: Sendable, CustomReflectable {
    private var buffer: [UInt8] = []
    private var consumed = 0
    /// The length of the frame under way with its header; 0 before that was judged.
    private var frameBytes = 0
    private var failure: ABIError?
    /// The longest body accepted from now on, in bytes.
    public var bodyLimit: Int

    /// A buffer up to this size is kept between frames: enough for reads of 64 KiB and what was pending before them.
    private static let keptBytes = 96 << 10

    public init(bodyLimit: Int = ABILimits.handshakeBodyBytes) { self.bodyLimit = bodyLimit }

    /// Bytes held back because their frame is not complete.
    public var pendingBytes: Int { buffer.count - consumed }

    public var customMirror: Mirror { Mirror(self, children: ["pendingBytes": pendingBytes]) }

    /// Bytes of the frame under way that have not come; 0 before its header was judged by `next`.
    public var awaitedBytes: Int { max(0, consumed + frameBytes - buffer.count) }

    /// Takes in what arrived. After an error nothing is stored any more.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        guard failure == nil else { return }
        if buffer.count + bytes.count > buffer.capacity { compact(toHold: bytes.count) }
        buffer.append(contentsOf: bytes)
    }

    /// The same for bytes as read(2) leaves them. Not by way of the generic one, which from another module runs as it
    /// is, and draws in much of the standard library.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        if buffer.count + bytes.count > buffer.capacity { compact(toHold: max(bytes.count, announced(in: bytes))) }
        bytes.withMemoryRebound(to: UInt8.self) { buffer.append(contentsOf: $0) }
    }

    /// Reads on in the frame under way, to where it lies: a large one is copied once less.
    ///
    /// - Parameters:
    ///   - limit: no more bytes than that.
    ///   - read: as read(2): fills its room from the start; returns how many bytes, 0 or less for none.
    /// - Returns: whether anything came. Without a frame under way, `read` is not asked.
    public mutating func fill(atMost limit: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int) -> Bool {
        let (awaited, count) = (awaitedBytes, buffer.count)
        guard failure == nil, awaited > 0, limit > 0 else { return false }
        if count + awaited > buffer.capacity { compact(toHold: awaited) }
        let start = buffer.count
        buffer.append(addingCapacity: min(awaited, limit)) { room in
            room.withUnsafeMutableBufferPointer { bytes, filled in
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(bytes)[filled...])
                filled += min(max(read(rest), 0), rest.count)
            }
        }
        return buffer.count > start
    }

    /// How long the frame is that these bytes begin, if they are many and nothing is before them: its memory is then
    /// made once. Nothing is judged here; what is announced and does not come was never touched.
    private func announced(in bytes: UnsafeRawBufferPointer) -> Int {
        guard pendingBytes == 0, bytes.count > Self.keptBytes / 2 else { return 0 }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        return ABILimits.headerBytes + min(length, bodyLimit)
    }

    /// The next complete frame, or nil when more bytes are needed. The caller owns the copy of the body, and wipes it.
    ///
    /// - Throws: `ABIError` with `frameTooLarge`, `malformedFrame` or `unknownKind`; then for ever.
    public mutating func next() throws(ABIError) -> Frame? {
        try next { (header, body) throws(ABIError) in
            Frame(kind: header.kind, stream: header.stream, body: body.withUnsafeBytes { Array($0) })
        }
    }

    /// Lends the next complete frame to `read` and overwrites it afterwards; nil when more bytes are needed.
    ///
    /// - Throws: as `next()`. What `read` throws is the frame's own trouble: the one after it can still be read.
    public mutating func next<Result>(
        _ read: (FrameHeader, RawSpan) throws(ABIError) -> Result
    ) throws(ABIError) -> Result? {
        guard let header = try header() else { return nil }
        let start = consumed + ABILimits.headerBytes
        let end = start + header.length
        guard end <= buffer.count else {
            frameBytes = end - consumed
            return nil
        }
        defer { release(upTo: end) }
        return try read(header, buffer.span.bytes.extracting(start..<end))
    }

    /// Forgets and overwrites what is buffered; frames may have carried credentials.
    public mutating func wipe() {
        buffer.wipe()
        buffer.removeAll()
        consumed = 0
        frameBytes = 0
    }

    /// Reads and judges the next header, nil before it is whole.
    private mutating func header() throws(ABIError) -> FrameHeader? {
        if let failure { throw failure }
        guard pendingBytes >= ABILimits.headerBytes else { return nil }
        do {
            return try FrameHeader(buffer.span.bytes, at: consumed, bodyLimit: bodyLimit)
        } catch {
            failure = error
            wipe()
            throw error
        }
    }

    /// Overwrites what was handed out; its memory is used again once the buffer is empty or has to grow.
    private mutating func release(upTo end: Int) {
        buffer.withUnsafeMutableBytes { SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: $0[consumed..<end])) }
        consumed = end
        frameBytes = 0
        guard consumed == buffer.count else { return }
        buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptBytes)
        consumed = 0
    }

    /// Makes room for `extra` more bytes at the end, and leaves no copy of what is pending elsewhere.
    private mutating func compact(toHold extra: Int) {
        let pending = pendingBytes
        if pending + extra <= buffer.capacity {
            let start = consumed
            buffer.withUnsafeMutableBytes {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start...]))
                SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: $0[pending...]))
            }
            buffer.removeLast(consumed)
        } else {
            var moved: [UInt8] = []
            moved.reserveCapacity(max(2 * pending, pending + extra + extra / 4))
            moved.append(contentsOf: buffer[consumed...])
            buffer.wipe()
            buffer = moved
        }
        consumed = 0
    }
}
