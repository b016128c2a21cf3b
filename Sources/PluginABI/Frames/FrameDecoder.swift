/// Turns a byte stream from an untrusted peer into frames. Pure and incremental: feed it bytes in any pieces.
///
/// A header is judged as soon as its 16 bytes are there, before any of its body is awaited or stored. After the first
/// error the stream has no more frame boundaries, so every later call throws the same error.
///
/// Frames are lent where they lie and overwritten afterwards: a frame costs no memory of its own.
public struct FrameDecoder: Sendable, CustomReflectable {
    private var buffer: [UInt8] = []
    private var consumed = 0
    private var failure: ABIError?
    /// The longest body accepted from now on, in bytes.
    public var bodyLimit: Int

    /// A buffer up to this size is kept between frames: enough for reads of 64 KiB and what was pending before them.
    private static let keptBytes = 96 << 10

    public init(bodyLimit: Int = ABILimits.handshakeBodyBytes) { self.bodyLimit = bodyLimit }

    /// Bytes held back because their frame is not complete.
    public var pendingBytes: Int { buffer.count - consumed }

    public var customMirror: Mirror { Mirror(self, children: ["pendingBytes": pendingBytes]) }

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
        if buffer.count + bytes.count > buffer.capacity { compact(toHold: bytes.count) }
        buffer.append(contentsOf: bytes)
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
        guard end <= buffer.count else { return nil }
        defer { release(upTo: end) }
        return try read(header, buffer.span.bytes.extracting(start..<end))
    }

    /// Forgets and overwrites what is buffered; frames may have carried credentials.
    public mutating func wipe() {
        buffer.wipe()
        buffer.removeAll()
        consumed = 0
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
