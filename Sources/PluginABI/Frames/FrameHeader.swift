/// The 16 bytes before a body, judged (abi-v1.md section 4).
public struct FrameHeader: Sendable, Equatable {
    public let kind: FrameKind
    public let stream: UInt64
    /// Bytes of the body.
    public let length: Int

    /// - Throws: `frameTooLarge`, `unknownKind` or `malformedFrame`, in this order.
    init(_ bytes: RawSpan, at offset: Int, bodyLimit: Int) throws(ABIError) {
        let header = bytes.extracting(offset..<offset + ABILimits.headerBytes)
        length = Int(header.littleEndian(UInt32.self, at: 0))
        guard length <= bodyLimit else {
            throw ABIError(.frameTooLarge, "a frame announces a body of \(length) bytes; the limit is \(bodyLimit)")
        }
        let rawKind = header.littleEndian(UInt8.self, at: 4)
        guard let kind = FrameKind(rawValue: rawKind) else {
            throw ABIError(.unknownKind, "frame kind \(rawKind) is not defined")
        }
        self.kind = kind
        let flags = header.littleEndian(UInt8.self, at: 5)
        guard flags == 0 else { throw ABIError(.malformedFrame, "flags must be 0, found \(flags)") }
        guard header.littleEndian(UInt16.self, at: 6) == 0 else {
            throw ABIError(.malformedFrame, "the reserved bytes must be 0")
        }
        stream = header.littleEndian(UInt64.self, at: 8)
    }
}

extension RawSpan {
    /// A little-endian integer at an offset, which is checked, and need not be aligned.
    func littleEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        Value(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}
