/// One frame: a 16-byte header and a body of fields.
///
///     offset  0        4     5      6         8          16
///             length   kind  flags  reserved  stream id  body …
///             u32      u8    u8=0   u16=0     u64        all little-endian
public struct Frame: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var kind: FrameKind
    /// 0 for the session itself, odd for streams that the host opened, even for those of the plugin.
    public var stream: UInt64
    public var body: [UInt8]

    public init(kind: FrameKind, stream: UInt64 = 0, body: [UInt8] = []) {
        self.kind = kind
        self.stream = stream
        self.body = body
    }

    /// Never the body: a call carries credentials in it.
    public var description: String { "\(kind) on stream \(stream), \(body.count) bytes" }
    public var customMirror: Mirror { Mirror(self, children: ["kind": kind, "stream": stream, "bytes": body.count]) }

    /// Header and body as they go on the wire.
    public func encoded() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(ABILimits.headerBytes + body.count)
        output.append(littleEndian: UInt32(truncatingIfNeeded: body.count))
        output.append(kind.rawValue)
        output.append(0)
        output.append(littleEndian: UInt16(0))
        output.append(littleEndian: stream)
        output.append(contentsOf: body)
        return output
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Makes room for more bytes. An array that grows frees its old memory as it is; here it is overwritten first.
    mutating func makeRoom(for extra: Int) {
        guard count + extra > capacity else { return }
        var larger: [UInt8] = []
        larger.reserveCapacity(Swift.max(2 * count, count + extra))
        larger.append(contentsOf: self)
        wipe()
        self = larger
    }

    /// Overwrites every byte with 0 in a way that is not optimised away. Only the array's sole owner can do that:
    /// memory that another array or slice shares is left to it.
    public mutating func wipe() {
        withUnsafeMutableBytes { SecretBytes.wipe($0) }
    }
}
