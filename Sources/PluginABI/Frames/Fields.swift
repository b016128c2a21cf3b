/// A body is a sequence of fields: tag u16, length u32, bytes; little-endian, in any order.
///
/// A tag with its high bit set is critical: a reader that does not know it refuses the frame. Others are skipped.
public struct FieldTag: RawRepresentable, Sendable, Hashable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public init(_ rawValue: UInt16) { self.rawValue = rawValue }
    public var isCritical: Bool { rawValue & 0x8000 != 0 }
}

/// Builds a body. It may hold credentials: growing leaves no copy behind, and no rendering shows the bytes.
public struct FieldWriter: Sendable, CustomReflectable {
    public private(set) var body: [UInt8] = []

    public init() {}

    /// Starts with a frame's header, and memory for `capacity` bytes with it.
    init(headerOf kind: FrameKind, stream: UInt64, capacity: Int) {
        body.reserveCapacity(ABILimits.headerBytes + capacity)
        body.append(littleEndian: UInt32(0))
        body.append(kind.rawValue)
        body.append(contentsOf: [0, 0, 0])
        body.append(littleEndian: stream)
    }

    /// The whole frame, for a writer that was begun with its header.
    consuming func frame() -> [UInt8] {
        let length = UInt32(truncatingIfNeeded: body.count - ABILimits.headerBytes)
        body.withUnsafeMutableBytes { $0.storeBytes(of: length.littleEndian, as: UInt32.self) }
        return body
    }

    public var customMirror: Mirror { Mirror(self, children: ["bytes": body.count]) }

    public mutating func write(_ tag: FieldTag, bytes: some Collection<UInt8>) {
        body.makeRoom(for: 6 + bytes.count)
        body.append(littleEndian: tag.rawValue)
        body.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
        body.append(contentsOf: bytes)
    }

    public mutating func write(_ tag: FieldTag, _ text: String) {
        var text = text
        text.withUTF8 { write(tag, bytes: $0) }
    }

    public mutating func write(_ tag: FieldTag, _ value: UInt8) { write(tag, integer: value) }

    public mutating func write(_ tag: FieldTag, _ value: UInt32) { write(tag, integer: value) }

    public mutating func write(_ tag: FieldTag, _ value: UInt64) { write(tag, integer: value) }

    private mutating func write<Value: FixedWidthInteger>(_ tag: FieldTag, integer value: Value) {
        withUnsafeBytes(of: value.littleEndian) { write(tag, bytes: $0) }
    }

    public mutating func writeIfPresent(_ tag: FieldTag, _ text: String?) {
        if let text { write(tag, text) }
    }

    public mutating func wipe() { body.wipe() }
}
