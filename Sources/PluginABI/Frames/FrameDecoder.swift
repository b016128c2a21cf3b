/// Turns a byte stream from an untrusted peer into frames. Pure and incremental: feed it bytes in any pieces.
///
/// A header is judged as soon as its 16 bytes are there, before any of its body is awaited or stored. After the first
/// error the stream has no more frame boundaries, so every later call throws the same error.
public struct FrameDecoder: Sendable, CustomReflectable {
    private var buffer: [UInt8] = []
    private var consumed = 0
    private var failure: ABIError?
    /// The longest body accepted from now on, in bytes.
    public var bodyLimit: Int

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

    /// The next complete frame, or nil when more bytes are needed.
    ///
    /// - Throws: `ABIError` with `frameTooLarge`, `malformedFrame` or `unknownKind`; then for ever.
    public mutating func next() throws(ABIError) -> Frame? {
        if let failure { throw failure }
        do {
            return try decode()
        } catch {
            failure = error
            wipe()
            throw error
        }
    }

    /// Forgets and overwrites what is buffered; frames may have carried credentials.
    public mutating func wipe() {
        buffer.wipe()
        buffer.removeAll()
        consumed = 0
    }

    private mutating func decode() throws(ABIError) -> Frame? {
        guard let header = try header(), pendingBytes >= ABILimits.headerBytes + header.length else { return nil }
        let start = consumed + ABILimits.headerBytes
        let end = start + header.length
        let frame = Frame(kind: header.kind, stream: header.stream, body: Array(buffer[start..<end]))
        release(upTo: end)
        return frame
    }

    /// Reads and judges the next header. The slice that it reads from ends with this function: were it alive in
    /// `release`, the buffer would be shared, and overwriting it would overwrite a copy.
    private func header() throws(ABIError) -> (kind: FrameKind, stream: UInt64, length: Int)? {
        guard pendingBytes >= ABILimits.headerBytes else { return nil }
        let header = buffer[consumed..<consumed + ABILimits.headerBytes]
        let base = header.startIndex
        let length = Int(header[base..<base + 4].littleEndian(UInt32.self) ?? 0)
        guard length <= bodyLimit else {
            throw ABIError(.frameTooLarge, "a frame announces a body of \(length) bytes; the limit is \(bodyLimit)")
        }
        guard let kind = FrameKind(rawValue: header[base + 4]) else {
            throw ABIError(.unknownKind, "frame kind \(header[base + 4]) is not defined")
        }
        guard header[base + 5] == 0 else {
            throw ABIError(.malformedFrame, "flags must be 0, found \(header[base + 5])")
        }
        guard header[base + 6] == 0, header[base + 7] == 0 else {
            throw ABIError(.malformedFrame, "the reserved bytes must be 0")
        }
        return (kind, header[base + 8..<base + 16].littleEndian(UInt64.self) ?? 0, length)
    }

    /// Overwrites what was handed out; its memory is used again once the buffer is empty or has to grow.
    private mutating func release(upTo end: Int) {
        buffer.withUnsafeMutableBytes { SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: $0[consumed..<end])) }
        consumed = end
        guard consumed == buffer.count else { return }
        buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 16)
        consumed = 0
    }

    /// Moves what is pending into memory with room for `extra` more bytes, and leaves no copy of it behind.
    private mutating func compact(toHold extra: Int) {
        var moved: [UInt8] = []
        moved.reserveCapacity(max(2 * pendingBytes, pendingBytes + extra))
        moved.append(contentsOf: buffer[consumed...])
        buffer.wipe()
        buffer = moved
        consumed = 0
    }
}
